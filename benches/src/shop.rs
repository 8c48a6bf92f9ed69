//! The made-up shop whose events everybody gets.

use std::fs;
use std::path::Path;

use device::{Device, NewShop};
use serde_json::{Value, json};
use shared::calendar::BusinessDay;
use shared::event::{Event, Language};
use shared::testing::demo::{Demo, Size, Turn};
use tempfile::TempDir;

use crate::Outcome;

const DAYS: u32 = 365;

/// A shop on its first device, and what its people will do next.
pub struct Shop {
    pub device: Device,
    demo: Demo,
}

impl Shop {
    /// A shop in which about so many events will happen over a year.
    pub fn found(events: u32, seed: u64, folder: Option<&Path>) -> Outcome<Shop> {
        let until = BusinessDay::from_ymd(2026, 3, 31).ok_or("not a day")?;
        let size = Size {
            devices: 1,
            customers: 300.min(events / 10).max(3),
            days: DAYS.min(events / 10).max(3),
            ..Size::year(events, seed, until)
        };
        let shop = NewShop {
            name: "Lakshmi Kirana".to_owned(),
            owner: "Lakshmi".to_owned(),
            device: "Counter".to_owned(),
            language: Language::English,
            at: size.first_day().start(),
        };
        Ok(Shop {
            device: Device::found(shop, folder)?,
            demo: Demo::new(size),
        })
    }

    /// Writes until so many events came, or the year ends, and shows each.
    pub fn write(&mut self, events: usize, mut show: impl FnMut(&Event)) -> Outcome<usize> {
        let mut written = 0;
        while written < events
            && let Some(turn) = self.demo.turn()
        {
            if let Turn::Act { at, .. } = turn {
                let command = self.demo.command(0, at, self.device.ledger());
                let events = self.device.execute_at(at, command)?;
                self.demo.done(0, &events);
                events.iter().for_each(&mut show);
                written += events.len();
            }
        }
        self.device.save()?;
        Ok(written)
    }
}

/// A year of a shop that has never met a server: the same for every server and every run.
pub struct Year {
    folder: TempDir,
    /// The events in their stored bytes.
    pub events: Vec<Vec<u8>>,
    /// The events as documents in JSON.
    pub documents: Vec<Value>,
}

impl Year {
    /// Writes it.
    pub fn write(events: u32) -> Outcome<Year> {
        let folder = tempfile::tempdir()?;
        let mut shop = Shop::found(events, 1, Some(folder.path()))?;
        let mut documents = Vec::new();
        shop.write(events as usize, |event| documents.push(document(event)))?;
        let own = shop.device.own_events();
        // The first event opened the shop, before anything was made up.
        let own = &own[own.len() - documents.len()..];
        Ok(Year {
            events: own.iter().map(|bytes| bytes.0.clone()).collect(),
            documents,
            folder,
        })
    }

    /// The device that wrote it, as it was before it met any server.
    pub fn device(&self) -> Outcome<(Device, TempDir)> {
        let copy = tempfile::tempdir()?;
        for entry in fs::read_dir(self.folder.path())? {
            let entry = entry?;
            fs::copy(entry.path(), copy.path().join(entry.file_name()))?;
        }
        Ok((Device::open(copy.path())?, copy))
    }
}

/// An event as a flat document without absent fields, as another system would store it.
fn document(event: &Event) -> Value {
    let mut fields = serde_json::Map::new();
    if let Ok(Value::Object(mut event)) = serde_json::to_value(event) {
        let body = event.remove("body");
        fields.insert("_id".to_owned(), event.remove("id").unwrap_or_default());
        let body = body.as_ref().and_then(Value::as_object).cloned();
        let all = event.into_iter().chain(body.unwrap_or_default());
        fields.extend(all.filter(|(_, value)| !value.is_null()));
    }
    json!(fields)
}
