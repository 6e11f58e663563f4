//! The harness: a whole service over a temporary database, on a clock that the test moves.
//!
//! Nothing sleeps. [`World::pass`] goes from one due instant to the next and lets the real engine and the
//! real dispatcher do what is due there; requests go to the real server on a loopback port.

pub mod carrier;
pub mod checker;
pub mod command;
pub mod database;
pub mod definitions;
pub mod fake;
pub mod guide;
pub mod mail_server;
pub mod process;
pub mod replicas;
pub mod twilio;
pub mod vonage;

use std::net::SocketAddr;
use std::sync::Arc;

use dogwatch::amend::Amender;
use dogwatch::callback::Callbacks;
use dogwatch::channel::handset::Handset;
use dogwatch::channel::{Channel, Channels};
use dogwatch::clock::{Clock, ManualClock};
use dogwatch::cluster::patroni::Patroni;
use dogwatch::config::provider::Provider;
use dogwatch::delivery::Dispatcher;
use dogwatch::engine::Engine;
use dogwatch::http::{App, connected};
use dogwatch::message::template::Templates;
use dogwatch::reply::AnswerLinks;
use dogwatch::secret::Secret;
use dogwatch::service::{with_accounts, with_providers};
use dogwatch::shutdown::{Stopper, shutdown};
use dogwatch::store::Store;
use dogwatch::telemetry::Metrics;
use escalation::contact::Kind;
use escalation::directory::Service;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinSet;

use carrier::Carrier;

/// The administrator's token of every test.
pub const TOKEN: &str = "test-0123456789abcdefghijklmnop";

/// A service under test.
pub struct World {
    pub folder: TempDir,
    /// The address of the database, if it is PostgreSQL's.
    pub postgres: Option<String>,
    pub clock: Arc<ManualClock>,
    pub store: Store,
    pub carrier: Carrier,
    pub url: String,
    pub client: reqwest::Client,
    pub links: AnswerLinks,
    amender: Amender,
    channels: Channels,
    engine: Engine,
    dispatcher: Dispatcher,
    sends: JoinSet<()>,
    server: tokio::task::JoinHandle<()>,
    app: App,
    start: Timestamp,
    /// Dropped, it would end the live pages.
    _stopper: Stopper,
}

/// An answer of the API.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
    pub text: String,
}

/// Where a service stores things: a folder, and the address of a database if it is PostgreSQL's.
type Ground = (TempDir, Option<String>);

async fn ground() -> Ground {
    let postgres = if database::is_postgres() { Some(database::fresh_postgres().await) } else { None };
    (tempfile::tempdir().unwrap(), postgres)
}

/// Providers outside: those that may call back, and those of calls and short messages.
#[derive(Default)]
struct Outside {
    callbacks: Arc<Callbacks>,
    providers: Vec<Provider>,
    /// What else is set up, as in a configuration.
    accounts: Option<dogwatch::config::Config>,
}

impl Drop for World {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// TLS is set up once for a process.
pub fn set_up_tls() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

impl World {
    /// Everybody's channels are scripted, but for the handset, which is real.
    pub async fn new() -> Self {
        Self::with(Service::default(), |channels, carrier| {
            channels.with(Kind::Webhook, carrier.clone()).with(Kind::Email, carrier.clone())
        })
        .await
    }

    /// With one real channel, and operators at a scripted webhook.
    pub async fn with_channel(kind: Kind, channel: impl Channel) -> Self {
        let operators = vec!["webhook:https://operators.example.org/".parse().unwrap()];
        let service = Service { operators, ..Service::default() };
        let set = move |channels: Channels, carrier: &Carrier| {
            channels.with(Kind::Webhook, carrier.clone()).with(kind, channel)
        };
        Self::with(service, set).await
    }

    pub async fn with(service: Service, set: impl FnOnce(Channels, &Carrier) -> Channels) -> Self {
        Self::with_callbacks(service, Arc::default(), set).await
    }

    /// With providers that may call back.
    pub async fn with_callbacks(
        service: Service,
        callbacks: Arc<Callbacks>,
        set: impl FnOnce(Channels, &Carrier) -> Channels,
    ) -> Self {
        let ground = ground().await;
        let start: Timestamp = "2026-03-02T03:00:00Z".parse().unwrap();
        let set = |channels, carrier: &_, _: &_| set(channels, carrier);
        Self::open(ground, start, start, service, Outside { callbacks, ..Outside::default() }, set).await
    }

    /// With channels that look into the store.
    pub async fn with_store(set: impl FnOnce(Channels, &Store) -> Channels) -> Self {
        let ground = ground().await;
        let start: Timestamp = "2026-03-02T03:00:00Z".parse().unwrap();
        let set = |channels, _: &_, store: &_| set(channels, store);
        Self::open(ground, start, start, Service::default(), Outside::default(), set).await
    }

    /// One of several nodes over a database of PostgreSQL.
    pub async fn over(address: &str) -> Self {
        Self::over_with_providers(address, Vec::new()).await
    }

    /// The same, with providers of calls and short messages.
    pub async fn over_with_providers(address: &str, providers: Vec<Provider>) -> Self {
        let ground = (tempfile::tempdir().unwrap(), Some(address.to_owned()));
        let start: Timestamp = "2026-03-02T03:00:00Z".parse().unwrap();
        let outside = Outside { providers, ..Outside::default() };
        Self::open(ground, start, start, Service::default(), outside, |channels, carrier, _| {
            channels.with(Kind::Webhook, carrier.clone()).with(Kind::Email, carrier.clone())
        })
        .await
    }

    /// When the world began.
    pub fn start(&self) -> Timestamp {
        self.start
    }

    /// With providers of calls and short messages; mail and webhooks are scripted.
    pub async fn with_providers(service: Service, providers: Vec<Provider>) -> Self {
        let ground = ground().await;
        let start: Timestamp = "2026-03-02T03:00:00Z".parse().unwrap();
        let outside = Outside { providers, ..Outside::default() };
        Self::open(ground, start, start, service, outside, |channels, carrier, _| {
            channels.with(Kind::Webhook, carrier.clone()).with(Kind::Email, carrier.clone())
        })
        .await
    }

    /// With the services of a configuration, as the shipped program sets them up; webhooks are scripted.
    pub async fn configured(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dogwatch.toml");
        std::fs::write(&path, text).unwrap();
        let flags = dogwatch::config::Flags::default();
        let config = dogwatch::config::Config::load(Some(&path), &|_| None, &flags).unwrap();
        let operators = vec!["webhook:https://operators.example.org/".parse().unwrap()];
        let service = Service { operators, ..Service::default() };
        let start: Timestamp = "2026-03-02T03:00:00Z".parse().unwrap();
        let outside = Outside { accounts: Some(config), ..Outside::default() };
        Self::open(ground().await, start, start, service, outside, |channels, carrier, _| {
            channels.with(Kind::Webhook, carrier.clone())
        })
        .await
    }

    async fn open(
        (folder, postgres): Ground,
        start: Timestamp,
        now: Timestamp,
        service: Service,
        outside: Outside,
        set: impl FnOnce(Channels, &Carrier, &Store) -> Channels,
    ) -> Self {
        set_up_tls();
        let clock = Arc::new(ManualClock::new(now));
        let shared: Arc<dyn Clock> = clock.clone();
        let store = match &postgres {
            Some(address) => Store::open_postgres(address, shared.clone(), service).await.unwrap(),
            None => Store::open_sqlite(&folder.path().join("test.db"), shared.clone(), service).unwrap(),
        };
        store.adopt_token("test", Secret::given(TOKEN.to_owned())).await.unwrap();
        store.recover().await.unwrap();
        let links = AnswerLinks::new(&store.secret("answer").await.unwrap());
        let carrier = Carrier::default();
        let channels = set(Channels::default().with(Kind::Handset, Handset), &carrier, &store);
        let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let Outside { callbacks, providers, accounts } = outside;
        let channels = with_providers(channels, &providers, &url, &shared, &store).unwrap();
        let channels = match &accounts {
            Some(config) => with_accounts(channels, config, &callbacks, &url, &shared, &store).unwrap(),
            None => channels,
        };
        let metrics = Metrics::default();
        let (stopper, shutdown) = shutdown();
        let app = App {
            store: store.clone(),
            clock: shared.clone(),
            links: links.clone(),
            metrics: metrics.clone(),
            limits: dogwatch::intake::limits::Limits::new(100),
            guesses: dogwatch::intake::guesses::Guesses::default(),
            public_url: url.as_str().into(),
            callbacks,
            push_key: "BPubKey".into(),
            webhook_key: Arc::from(&b"0123456789abcdef01234567"[..]),
            providers: providers.into(),
            patroni: Patroni::default(),
            shutdown,
            kinds: channels.kinds(),
            channels: channels.clone(),
            templates: Templates::default(),
        };
        let served = app.clone();
        let server = tokio::spawn(async move { axum::serve(listener, connected(served)).await.unwrap() });
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Self {
            folder,
            postgres,
            store: store.clone(),
            carrier,
            engine: Engine::new(store.clone(), shared.clone()),
            channels: channels.clone(),
            amender: Amender::new(store.clone(), shared.clone(), channels.clone(), links.clone(), &url),
            dispatcher: Dispatcher::new(store, shared, channels, links.clone(), &url, metrics),
            links,
            sends: JoinSet::new(),
            clock,
            url,
            client,
            server,
            app,
            start,
            _stopper: stopper,
        }
    }

    /// With words of the operators in the place of ours.
    pub fn with_templates(mut self, templates: Templates) -> Self {
        self.amender = self.amender.clone().with_templates(templates.clone());
        self.dispatcher = self.dispatcher.clone().with_templates(templates.clone());
        self.app.templates = templates;
        self
    }

    /// Tells these subscribers what happens from now on; each call of the teller is one turn.
    pub async fn teller(
        &self,
        subscribers: Vec<dogwatch::outgoing::Subscriber>,
    ) -> dogwatch::outgoing::Teller {
        let outbound = dogwatch::outbound::Outbound::unguarded(SignedDuration::from_secs(10)).unwrap();
        let clock: Arc<dyn Clock> = self.clock.clone();
        let key = b"0123456789abcdef01234567";
        let teller = dogwatch::outgoing::Teller::new(
            self.store.clone(),
            clock,
            outbound,
            key,
            subscribers,
            "https://dogwatch.example.org",
        );
        teller.await.unwrap()
    }

    /// The channel for a kind of contact.
    pub fn channel(&self, kind: Kind) -> Arc<dyn Channel> {
        self.channels.get(kind).unwrap()
    }

    /// What handlers may use.
    pub fn app(&self) -> App {
        self.app.clone()
    }

    /// Stops everything as a crash would, keeps the database, and starts anew with scripted channels.
    pub async fn crash(mut self) -> Self {
        self.sends.abort_all();
        while self.sends.join_next().await.is_some() {}
        let now = self.clock.now();
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap());
        let (start, postgres) = (self.start, self.postgres.clone());
        self.server.abort();
        if postgres.is_some() {
            self.store.close().await;
            drop(self);
        } else {
            // The lock on the database ends with the writer thread, which ends with the last store.
            drop(self);
            let path = folder.path().join("test.db.lock");
            let lock = std::fs::File::open(path).unwrap();
            tokio::task::spawn_blocking(move || lock.lock().unwrap()).await.unwrap();
        }
        Self::open(
            (folder, postgres),
            start,
            now,
            Service::default(),
            Outside::default(),
            |channels, carrier, _| {
                channels.with(Kind::Webhook, carrier.clone()).with(Kind::Email, carrier.clone())
            },
        )
        .await
    }

    /// Does everything that is due now. Returns when something is due next.
    pub async fn settle(&mut self) -> Option<Timestamp> {
        loop {
            let woken = self.engine.turn().await.unwrap();
            let ready = self.dispatcher.turn(&mut self.sends).await.unwrap();
            let mut sent = false;
            while self.sends.len() > self.carrier.hanging() {
                // Not awaited: whether a send hangs shows only once it has begun.
                if self.sends.try_join_next().is_some() {
                    sent = true;
                } else {
                    tokio::task::yield_now().await;
                }
            }
            if !sent {
                return [woken, ready].into_iter().flatten().min();
            }
        }
    }

    /// Changes the messages in chats that say something else than how their alerts stand.
    pub async fn amend(&self) -> Option<Timestamp> {
        self.amender.turn().await.unwrap()
    }

    /// Lets time pass, stopping wherever something is due.
    pub async fn pass(&mut self, length: SignedDuration) {
        let end = self.clock.now() + length;
        loop {
            let next = self.settle().await.filter(|next| *next <= end);
            let hanging = self.carrier.deadline(self.clock.now()).filter(|at| *at <= end);
            match [next, hanging].into_iter().flatten().min() {
                Some(at) => self.clock.set(at.max(self.clock.now())),
                None => break,
            }
            if hanging.is_some_and(|at| at <= self.clock.now()) {
                self.carrier.give_up(self.clock.now());
            }
        }
        self.clock.set(end);
        self.settle().await;
    }

    pub async fn pass_seconds(&mut self, seconds: i64) {
        self.pass(SignedDuration::from_secs(seconds)).await;
    }

    // ---- the API ----

    pub async fn request(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let mut request =
            self.client.request(method.parse().unwrap(), format!("{}{path}", self.url)).bearer_auth(TOKEN);
        if let Some(body) = body {
            request = request.body(body.to_string());
        }
        answer(request).await
    }

    pub async fn get(&self, path: &str) -> Value {
        let answer = self.request("GET", path, None).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.body
    }

    /// A POST that has to succeed.
    pub async fn post(&self, path: &str, body: Value) -> Value {
        let answer = self.request("POST", path, Some(body)).await;
        assert!((200..300).contains(&answer.status), "{path}: {} {}", answer.status, answer.text);
        answer.body
    }

    /// John and Bob in the team ops, as the demo has them, each with one contact.
    pub async fn john_and_bob(&self, johns: &str, bobs: &str) {
        for (name, full_name, contact) in [("john", "John", johns), ("bob", "Bob", bobs)] {
            let person = json!({
                "name": name, "full_name": full_name, "contacts": [contact],
                "notification_plans": { "high": { "steps": [
                    { "contact": contact, "wait": "20s" }, { "contact": contact, "every": "1m" },
                ] } },
            });
            self.post("/api/v1/people", person).await;
        }
        self.post(
            "/api/v1/escalation-plans",
            json!({ "name": "ops", "steps": [
            { "notify": ["on_call"], "after": "45s" }, { "notify": ["next_on_call"], "after": "5m" },
        ] }),
        )
        .await;
        self.post(
            "/api/v1/teams",
            // Most stories end with an answer: those that are about it ask the owner again.
            json!({ "name": "ops", "members": ["john", "bob"], "escalation_plan": "ops", "ack_timeout": "off" }),
        )
        .await;
    }

    /// Pages the team ops. Returns the alert's number.
    pub async fn notify(&self, summary: &str) -> u64 {
        let alert = self.post("/api/v1/teams/ops/notify", json!({ "summary": summary })).await;
        alert["number"].as_u64().unwrap()
    }

    /// The alert's story: seconds since the world began, and the sentence.
    pub async fn story(&self, number: u64) -> Vec<String> {
        let alert = self.get(&format!("/api/v1/alerts/{number}")).await;
        let lines = alert["timeline"].as_array().unwrap().iter();
        lines
            .map(|line| {
                let at: Timestamp = line["at"].as_str().unwrap().parse().unwrap();
                format!("{} {}", at.duration_since(self.start).as_secs(), line["text"].as_str().unwrap())
            })
            .collect()
    }

    /// What a browser of this person, or of an administrator, sends along.
    pub async fn cookie(&self, person: Option<&str>) -> String {
        let link = self.post("/api/v1/sign-ins", json!({ "person": person })).await;
        let url = link["url"].as_str().unwrap().to_owned();
        let signed_in = self.client.post(url).send().await.unwrap();
        assert_eq!(signed_in.status(), 303);
        let cookie = signed_in.headers()["set-cookie"].to_str().unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }

    /// Sends a form, as a browser does that shows our pages.
    pub async fn submit(&self, cookie: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.client.post(format!("{}{path}", self.url)).header("cookie", cookie).body(form);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        answer(request.header("sec-fetch-site", "same-origin")).await
    }

    /// Loads a page as that browser.
    pub async fn page(&self, cookie: &str, path: &str) -> Answer {
        answer(self.client.get(format!("{}{path}", self.url)).header("cookie", cookie)).await
    }

    /// Posts a form as that browser, from a page of ours.
    pub async fn press(&self, cookie: &str, path: &str) -> Answer {
        let request = self.client.post(format!("{}{path}", self.url)).header("cookie", cookie);
        answer(request.header("sec-fetch-site", "same-origin")).await
    }
}

/// Sends a request and reads the whole answer.
pub async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.unwrap();
    Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::Null), text }
}
