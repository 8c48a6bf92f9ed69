//! An owner's device lets a log go on that has parted from what the devices hold.

use shared::bytes::Fixed;
use shared::event::PublicKey;
use shared::sync::generation::{consent, consent_message, lacking};
use shared::sync::log::{ChainHead, Log};
use shared::sync::wire::RestoreAnswer;

use crate::DeviceError;
use crate::device::Device;
use crate::http::CallError;
use crate::keys::random;

/// What a server shows to an owner.
const PATH: &str = "generation";

impl Device {
    /// How many events that this device holds the server lacks.
    pub async fn lacking_on_server(&self) -> Result<u64, DeviceError> {
        let (theirs, _) = self.log_of_server().await?;
        let genesis = ChainHead::genesis(self.shop(), &self.public_key());
        let own = self.own_events().iter();
        let own = own.fold(genesis, |head, bytes| head.after(&bytes.0));
        let server = self.server.as_ref().ok_or(DeviceError::NoServer)?;
        let mine = &server.engine.cursor().log;
        Ok(lacking(&theirs, mine, self.number(), own))
    }

    /// The owner's word that the server's log goes on as it is. The next syncs hand in what it lacks.
    pub async fn let_log_go_on(&self) -> Result<(), DeviceError> {
        let (theirs, server) = self.log_of_server().await?;
        let mut opened = consent(&theirs, server, Fixed(random()), self.number());
        let message = consent_message(self.shop(), &opened);
        opened.signature = self.key.sign(&message);
        let token = Some(self.token());
        let _: RestoreAnswer = self.http()?.post(PATH, token, &opened).await?;
        Ok(())
    }

    async fn log_of_server(&self) -> Result<(Log, PublicKey), DeviceError> {
        let http = self.http()?;
        let answer: RestoreAnswer = http.get(PATH, Some(self.token())).await?;
        let stands = answer.log.zip(answer.server);
        stands.ok_or_else(|| CallError::NotPakka(http.server().to_owned()).into())
    }
}
