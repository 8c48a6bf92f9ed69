//! A phone without a screen: it writes events, pushes them, and checks every byte that it reads.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use device::keys::{KeyPair, random, verify};
use minicbor::{Decode, Encode};
use reqwest::{Client, Method, Response, StatusCode};
use shared::bytes::{Bytes, Fixed, Hash};
use shared::calendar::TimeMs;
use shared::chain::{self, digest};
use shared::event::{
    Body, DeviceEnrolled, DeviceRevoked, Envelope, Event, Kind, PublicKey, Role, ShopOpened,
    decode, encode,
};
use shared::ids::{DeviceNo, EventId, ShopId};
use shared::sync::log::{ChainHead, Log};
use shared::sync::tree;
use shared::sync::wire::{
    Chunk, ClaimAnswer, ClaimRequest, ErrorBody, JoinAnswer, JoinRequest, Joiner, MAX_ANSWER_BYTES,
    MEDIA_TYPE, PROTOCOL, Pairing, PairingOffer, Push, SealingKey, SyncAnswer, SyncRequest, Token,
};
use shared::testing::samples;
use uuid::Uuid;

/// Why the server said no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub status: u16,
    /// The header `x-pakka-error`.
    pub header: String,
    pub body: ErrorBody,
}

impl Refused {
    pub fn code(&self) -> &str {
        assert_eq!(self.header, self.body.code, "header and body say the same");
        &self.body.code
    }
}

pub struct Phone {
    pub http: Client,
    pub url: String,
    pub shop: ShopId,
    pub number: DeviceNo,
    pub key: KeyPair,
    pub token: Token,
    pub server_key: Option<PublicKey>,
    /// Its own events.
    pub events: Vec<Bytes>,
    heads: Vec<ChainHead>,
    clock: u64,
    /// The log as far as it was read.
    pub log: Log,
    pub chunks: Vec<Chunk>,
    pub keys: Vec<SealingKey>,
    pub keys_last: u64,
    /// Keys to be sent.
    pub new_keys: Vec<SealingKey>,
}

/// A client that goes straight to the server.
pub fn client() -> Client {
    // Whoever is first sets it for the whole process.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().build().expect("a client")
}

impl Phone {
    /// A phone that belongs to no shop yet.
    pub fn new(url: &str) -> Phone {
        let key = KeyPair::generate().expect("a key");
        let shop = ShopId(Uuid::from_bytes(random()));
        let genesis = ChainHead::genesis(shop, &key.public());
        Phone {
            http: client(),
            url: url.to_owned(),
            shop,
            number: DeviceNo::FOUNDER,
            token: Fixed(random()),
            server_key: None,
            events: Vec::new(),
            heads: vec![genesis],
            clock: 0,
            log: Log::new(shop, Fixed::default()),
            chunks: Vec::new(),
            keys: Vec::new(),
            keys_last: 0,
            new_keys: Vec::new(),
            key,
        }
    }

    /// From now on it belongs to this shop.
    pub fn of_shop(&mut self, shop: ShopId) {
        self.shop = shop;
        self.heads = vec![ChainHead::genesis(shop, &self.key.public())];
    }

    // Requests.

    pub fn bearer(&self) -> String {
        format!("Bearer {}", BASE64_URL_SAFE_NO_PAD.encode(self.token.0))
    }

    /// A request with this phone's token.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.url))
            .header("authorization", self.bearer())
    }

    pub async fn post<A: for<'b> Decode<'b, ()>>(
        &self,
        path: &str,
        body: &impl Encode<()>,
    ) -> Result<A, Refused> {
        let bytes = minicbor::to_vec(body).expect("encodes");
        self.post_bytes(path, bytes).await
    }

    pub async fn post_bytes<A: for<'b> Decode<'b, ()>>(
        &self,
        path: &str,
        bytes: Vec<u8>,
    ) -> Result<A, Refused> {
        let request = self
            .request(Method::POST, path)
            .header("content-type", MEDIA_TYPE);
        read(
            request
                .body(bytes)
                .send()
                .await
                .expect("the server answers"),
        )
        .await
    }

    pub async fn claim(&mut self, code: &str) -> Result<ClaimAnswer, Refused> {
        let request = ClaimRequest {
            code: code.to_owned(),
            shop: self.shop,
            key: self.key.public(),
            token: self.token,
        };
        let answer: ClaimAnswer = self.post("/api/v1/claim", &request).await?;
        self.server_key = Some(answer.server_key);
        self.log = Log::new(self.shop, answer.generation);
        self.log.begin(
            DeviceNo::SERVER,
            ChainHead::genesis(self.shop, &answer.server_key),
        );
        self.log.begin(
            DeviceNo::FOUNDER,
            ChainHead::genesis(self.shop, &self.key.public()),
        );
        Ok(answer)
    }

    // Writing.

    pub fn write(&mut self, body: impl Into<Body>) -> EventId {
        let id = EventId {
            device: self.number,
            seq: self.head().seq + 1,
        };
        self.clock += 1;
        let event = Event {
            envelope: Envelope {
                id,
                clock: self.clock,
                at: TimeMs(1_763_625_600_000),
                by: None,
                group: None,
                cause: None,
                correlation: None,
                expect: None,
            },
            body: body.into(),
        };
        self.write_bytes(encode(&event));
        id
    }

    pub fn write_bytes(&mut self, bytes: Vec<u8>) {
        self.heads.push(self.head().after(&bytes));
        self.events.push(Bytes(bytes));
    }

    /// Goods on credit, as any phone with a cashier writes them.
    pub fn credit(&mut self) -> EventId {
        self.write(samples::event(Kind::CreditGiven, false).body)
    }

    pub fn open_shop(&mut self) {
        let Body::ShopOpened(sample) = samples::event(Kind::ShopOpened, true).body else {
            unreachable!("a sample has its kind");
        };
        self.write(ShopOpened {
            shop: self.shop,
            ..sample
        });
        let own = self.key.public();
        self.enrol(DeviceNo::FOUNDER, own, Role::Owner);
    }

    pub fn enrol(&mut self, device: DeviceNo, key: PublicKey, role: Role) {
        self.write(DeviceEnrolled {
            device,
            key,
            role,
            name: "the phone on the counter".into(),
            staff: None,
        });
    }

    pub fn revoke(&mut self, device: DeviceNo) {
        self.write(DeviceRevoked { device });
    }

    pub fn head(&self) -> ChainHead {
        *self.heads.last().expect("a chain has a beginning")
    }

    pub fn head_at(&self, seq: u32) -> ChainHead {
        self.heads[seq as usize]
    }

    // Sync.

    /// The signature of this phone's chain up to `seq`.
    pub fn sign(&self, seq: u32) -> Fixed<64> {
        let head = self.head_at(seq);
        let message = chain::head_message(self.shop, self.number, head.seq, &head.hash);
        self.key.sign(&message)
    }

    pub fn push(&self, first_seq: u32, last_seq: u32) -> Push {
        Push {
            first_seq,
            previous: self.head_at(first_seq - 1).hash,
            events: self.events[first_seq as usize - 1..last_seq as usize].to_vec(),
            signature: self.sign(last_seq),
        }
    }

    /// A request that pushes nothing.
    pub fn ask(&self) -> SyncRequest {
        SyncRequest {
            protocol: PROTOCOL,
            generation: Some(self.log.generation()),
            position: self.log.size(),
            root: self.log.root(),
            last_seq: self.head().seq,
            last_hash: self.head().hash,
            keys_after: self.keys_last,
            want_bytes: MAX_ANSWER_BYTES,
            push: None,
            keys: None,
            segments: None,
        }
    }

    /// A request that pushes all own events that the log does not have yet.
    pub fn ask_all(&self) -> SyncRequest {
        let sent = self.log.chain(self.number).map_or(0, |head| head.seq);
        let last = self.head().seq;
        SyncRequest {
            push: (sent < last).then(|| self.push(sent + 1, last)),
            keys: (!self.new_keys.is_empty()).then(|| self.new_keys.clone()),
            ..self.ask()
        }
    }

    pub async fn send(&self, request: &SyncRequest) -> Result<SyncAnswer, Refused> {
        self.post("/api/v1/sync", request).await
    }

    /// Pushes what is new and reads until there is no more.
    pub async fn sync(&mut self) -> SyncAnswer {
        let answer = self
            .send(&self.ask_all())
            .await
            .expect("the server takes it");
        self.new_keys.clear();
        self.read(&answer);
        let mut more = answer.more;
        while more {
            let next = self.send(&self.ask()).await.expect("the server answers");
            self.read(&next);
            more = next.more;
        }
        answer
    }

    /// Pushes what is new; `None` when the server is gone, or on its way. What was sent is then
    /// neither forgotten nor believed.
    pub async fn try_sync(&mut self) -> Option<SyncAnswer> {
        let body = minicbor::to_vec(self.ask_all()).expect("encodes");
        let request = self
            .request(Method::POST, "/api/v1/sync")
            .header("content-type", MEDIA_TYPE);
        let answer = request.body(body).send().await.ok()?;
        if answer.status() == StatusCode::SERVICE_UNAVAILABLE {
            return None;
        }
        let bytes = answer.bytes().await.ok()?;
        let answer: SyncAnswer = minicbor::decode(&bytes).expect("a whole answer");
        self.new_keys.clear();
        self.read(&answer);
        Some(answer)
    }

    /// Reads an answer: positions are dense, every byte is in the signed root.
    pub fn read(&mut self, answer: &SyncAnswer) {
        for chunk in &answer.chunks {
            assert_eq!(
                chunk.position,
                self.log.size() + 1,
                "no position is left out"
            );
            let own = self.events.get(chunk.first_seq as usize - 1..);
            let events = chunk.events.clone().unwrap_or_else(|| {
                assert_eq!(
                    chunk.device, self.number,
                    "only own events come without bytes"
                );
                own.expect("held")[..chunk.count as usize].to_vec()
            });
            assert_eq!(events.len(), chunk.count as usize);
            for bytes in &events {
                let head = self
                    .log
                    .chain(chunk.device)
                    .expect("enrolled before")
                    .after(&bytes.0);
                self.log
                    .append(chunk.device, head, chunk.received, chunk.verdict)
                    .expect("the next of its chain");
                if let Ok(shared::event::Decoded::Known(event)) = decode(&bytes.0, None) {
                    self.clock = self.clock.max(event.envelope.clock);
                    if chunk.verdict == shared::sync::wire::Verdict::Accepted {
                        self.log.accept(&event);
                    }
                }
            }
            self.chunks.push(Chunk {
                events: Some(events),
                ..chunk.clone()
            });
        }
        if self.log.size() == answer.head.size {
            self.check_head(answer);
        }
        self.keys.extend(answer.keys.iter().cloned());
        self.keys_last = answer.keys_last;
    }

    fn check_head(&self, answer: &SyncAnswer) {
        let head = answer.head;
        assert_eq!(self.log.root(), head.root, "the root is over what was sent");
        let generation = self.log.generation();
        let message = tree::head_message(self.shop, &generation, head.size, &head.root, head.at);
        let key = self.server_key.expect("known since the claim");
        assert!(
            verify(&key, &message, &head.signature),
            "the server signed it"
        );
    }

    /// Every event in the log, with its verdict.
    pub fn entries(&self) -> Vec<(EventId, shared::sync::wire::Verdict)> {
        let ids = |chunk: &Chunk| {
            let (device, verdict) = (chunk.device, chunk.verdict);
            (chunk.first_seq..chunk.first_seq + chunk.count)
                .map(move |seq| (EventId { device, seq }, verdict))
        };
        self.chunks.iter().flat_map(ids).collect()
    }

    // Pairing.

    pub async fn offer(
        &self,
        secret: &[u8; 16],
        code: &str,
        role: Role,
    ) -> Result<Pairing, Refused> {
        let offer = PairingOffer {
            secret_hash: digest(&[secret]),
            code_hash: digest(&[code.as_bytes()]),
            role,
        };
        self.post("/api/v1/pairings", &offer).await
    }

    pub async fn pairings(&self) -> Result<Vec<Pairing>, Refused> {
        let answer = self.request(Method::GET, "/api/v1/pairings").send().await;
        read(answer.expect("the server answers")).await
    }

    pub async fn withdraw(&self, secret_hash: Hash) -> Result<(), Refused> {
        let path = format!("/api/v1/pairings/{secret_hash}");
        read(
            self.request(Method::DELETE, &path)
                .send()
                .await
                .expect("the server answers"),
        )
        .await
    }

    /// Asks to join, and takes note if it was let in.
    pub async fn join(&mut self, secret: &[u8], wait_ms: u32) -> Result<JoinAnswer, Refused> {
        let request = JoinRequest {
            secret: Bytes(secret.to_vec()),
            key: self.key.public(),
            token: self.token,
            name: "Ravi's phone".to_owned(),
            wait_ms,
        };
        let answer: JoinAnswer = self.post("/api/v1/pairings/join", &request).await?;
        if let JoinAnswer::Joined(joined) = &answer {
            self.shop = joined.shop;
            self.number = joined.device;
            self.server_key = Some(joined.server_key);
            self.heads = vec![ChainHead::genesis(joined.shop, &self.key.public())];
            self.log = Log::new(joined.shop, joined.generation);
            self.log.begin(
                DeviceNo::SERVER,
                ChainHead::genesis(joined.shop, &joined.server_key),
            );
        }
        Ok(answer)
    }

    /// Lets one more phone join this one's shop, the whole way.
    pub async fn bring_in(&mut self, role: Role) -> Phone {
        let secret: [u8; 16] = random();
        let code = secret.map(|byte| char::from(b'A' + byte % 26));
        let code: String = code[..8].iter().collect();
        self.offer(&secret, &code, role).await.expect("offered");
        let mut phone = Phone::new(&self.url);
        let answer = phone.join(&secret, 0).await.expect("known");
        assert_eq!(
            answer,
            JoinAnswer::Waiting,
            "the owner has not confirmed it"
        );
        let joiner = self.joiner(digest(&[&secret])).await;
        self.enrol(joiner.device, joiner.key, role);
        self.sync().await;
        let answer = phone.join(&secret, 0).await.expect("known");
        assert!(matches!(answer, JoinAnswer::Joined(_)), "confirmed");
        phone.knows_founder(self);
        phone
    }

    /// The founder's first events enrol it itself: its chain begins with its key.
    pub fn knows_founder(&mut self, founder: &Phone) {
        let genesis = ChainHead::genesis(self.shop, &founder.key.public());
        self.log.begin(DeviceNo::FOUNDER, genesis);
    }

    pub async fn joiner(&self, secret_hash: Hash) -> Joiner {
        let pairings = self.pairings().await.expect("an owner may see them");
        let pairing = pairings
            .into_iter()
            .find(|pairing| pairing.secret_hash == secret_hash);
        pairing
            .expect("it is under way")
            .joiner
            .expect("a phone asked")
    }
}

pub async fn read<A: for<'b> Decode<'b, ()>>(answer: Response) -> Result<A, Refused> {
    let status = answer.status();
    let header = |name: &str| {
        let value = answer
            .headers()
            .get(name)
            .map(|value| value.to_str().expect("text"));
        value.unwrap_or_default().to_owned()
    };
    let (media_type, error) = (header("content-type"), header("x-pakka-error"));
    let bytes = answer.bytes().await.expect("the answer comes whole");
    if status == StatusCode::OK {
        assert_eq!(media_type, MEDIA_TYPE);
        return Ok(minicbor::decode(&bytes).expect("an answer as expected"));
    }
    let body = if media_type == MEDIA_TYPE {
        minicbor::decode(&bytes).expect("a refusal")
    } else {
        let json: serde_json::Value = serde_json::from_slice(&bytes).expect("a refusal in JSON");
        ErrorBody {
            code: json["code"].as_str().expect("a code").to_owned(),
            message: json["message"].as_str().expect("a message").to_owned(),
            retry_after_ms: json["retry_after_ms"]
                .as_u64()
                .map(|wait_ms| wait_ms as u32),
            place: json["place"].as_u64().map(|place| place as u32),
            protocols: None,
        }
    };
    Err(Refused {
        status: status.as_u16(),
        header: error,
        body,
    })
}
