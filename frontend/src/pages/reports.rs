//! The choice of reports.

use leptos::prelude::*;

use super::desk;
use crate::components::bars::screen;
use crate::components::icon::Icon;
use crate::components::rows::setting_row;
use crate::i18n::{Msg, t};
use crate::place::Place;

/// The screen.
pub fn reports() -> AnyView {
    let month = Place::Month(desk::today().month());
    let body = view! {
        <div class="rows">
            {setting_row(month, Icon::Bars, Msg::ReportsMonth, Some(t(Msg::ReportsMonthNote)))}
            {setting_row(
                Place::Day,
                Icon::Lines,
                Msg::ReportsDay,
                Some(t(Msg::ReportsDayNote)),
            )}
            {setting_row(
                Place::Past,
                Icon::Calendar,
                Msg::ReportsPast,
                Some(t(Msg::ReportsPastNote)),
            )}
            {setting_row(
                Place::Disputes,
                Icon::Search,
                Msg::ReportsDisputes,
                Some(t(Msg::ReportsDisputesNote)),
            )}
        </div>
    };
    screen(Place::Reports, t(Msg::ReportsTitle), body.into_any(), None)
}
