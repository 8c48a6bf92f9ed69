//! Native devices of a shop: the real engine, and books that can be looked at.

use device::{Device, Joining, NewShop, now, today};
use shared::command::{AddCustomer, Details, GiveCredit};
use shared::event::{Language, Role};
use shared::ids::CustomerId;
use shared::money::Paise;

use super::Server;

pub fn add_customer(device: &mut Device, name: &str) -> CustomerId {
    let events = device.execute(AddCustomer::named(name)).expect("adds");
    CustomerId(events[0].envelope.id)
}

pub fn give(device: &mut Device, customer: CustomerId, rupees: i64) {
    let credit = GiveCredit {
        details: Details::on(today()),
        customer,
        amount: Paise(rupees * 100),
        lines: Vec::new(),
        due: None,
    };
    device.execute(credit).expect("gives");
}

pub async fn sync(device: &mut Device) {
    device.sync_until_quiet().await.expect("syncs");
}

pub async fn founder(server: &Server) -> Device {
    let shop = NewShop {
        name: "Lakshmi Kirana".to_owned(),
        owner: "Lakshmi".to_owned(),
        device: "Counter".to_owned(),
        language: Language::Hindi,
        at: now(),
    };
    let mut founder = Device::found(shop, None).expect("a shop");
    let code = server.claim_code().await.to_string();
    founder.claim(&server.url(), &code).await.expect("claims");
    sync(&mut founder).await;
    founder
}

pub async fn join(server: &Server, owner: &mut Device, name: &str) -> Device {
    let offer = owner.offer_pairing(Role::Manager).await.expect("offers");
    let joining = Joining::new(&server.url(), &offer.secret, name).expect("a joiner");
    joining.ask(0).await.expect("asks");
    let joiner = owner.joiner(&offer).await.expect("looks").expect("asked");
    owner
        .confirm(&joiner, Role::Manager)
        .await
        .expect("confirms");
    let mut joined = joining.join(None).await.expect("joins");
    sync(&mut joined).await;
    joined
}
