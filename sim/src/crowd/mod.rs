//! The clients: they ask what the plan says, wait, and hand every answer to a witness.
//!
//! A client between two requests is a few numbers and a line in the agenda; only a request that is under way is a task.
//! So a million of them fit into a laptop, and the cost of a request does not grow with their number.

mod client;
mod clients;
mod pages;
mod retries;
mod under_way;
mod workers;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::future::join;
use scenarios::{Arrival, OnDown, Op, Plan, Retry, RetryBudget, Scenario};
use strategies::counter::{CountAnswer, CountError};
use strategies::port::FlightId;
use strategies::rng::Rng;
use strategies::time::{Mono, nanos};
use strategies::{ConnectionUse, Cx, GetError, Key, Served, Stack, Written};

use crate::cache::link::Draws;
use crate::fleet::Fleet;
use client::CrowdClient;
use under_way::{RequestPlace, UnderWay};
use workers::{Idle, Job, Worker, WorkerSlot};

/// How often the end of the load is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// A request that was decided on. Times are nanoseconds since t = 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// When it was to be sent; in virtual time it is sent then.
    pub intended_ns: i64,
    /// For what.
    pub key: u32,
    /// What is done with it.
    pub op: Op,
    /// Whose it is; `None` of an open load's, and of writes that come beside a load.
    pub client: Option<u32>,
    /// Which of its client's, or of the plan's arrivals, or of its writes; from 0.
    pub number: u64,
    /// Whether its replica was dead and another one has it.
    pub moved_on: bool,
    /// How often it was tried.
    pub attempts: u32,
    /// Whether the clients' budget had no more retries for it.
    pub unpaid: bool,
}

/// What became of a request.
#[derive(Debug, Clone, Copy)]
pub enum Reply<'a> {
    /// Its replica's answer, and how the request came by its connections to the cache.
    Answer(&'a Result<Served, GetError>, Option<ConnectionUse>),
    /// Its replica's answer to a write.
    Wrote(&'a Result<Written, GetError>),
    /// Its replica's answer to an increment.
    Counted(&'a Result<CountAnswer, CountError>),
    /// None within the client's patience.
    TimedOut,
    /// Its replica died over it.
    Reset,
    /// Its replica was dead, and so was every other that its client may ask.
    Refused,
}

/// Writes down what the clients see.
pub trait Witness {
    /// A request is decided on.
    fn offer(&mut self, request: &Request);
    /// A request that was decided on is not sent after all.
    fn withdraw(&mut self, request: &Request);
    /// An attempt at a request is decided on, to be sent at `at_ns` since t = 0. Not told where clients never try again.
    fn attempt(&mut self, _request: &Request, _at_ns: i64) {}
    /// A request is over; `done_ns` since t = 0.
    fn answer(&mut self, request: &Request, done_ns: i64, reply: Reply<'_>);
    /// A replica hands over an answer whose flight it led.
    fn led(&mut self, replica: u16, flight: FlightId);
}

/// The call that looks for requests whose time is up.
const TIMEOUTS: u32 = (1 << 30) - 1;
/// Calls from here on to [`TIMEOUTS`] bring the request in the place that is left to the next replica's door.
const MOVES: u32 = 1 << 29;
/// The client of a request of an open load.
const NO_CLIENT: u32 = u32::MAX;

/// The clients of one run.
pub struct Crowd<W> {
    fleet: Rc<Fleet>,
    plan: Arc<Plan>,
    witness: Rc<RefCell<W>>,
    closed: bool,
    /// Whether clients of a dead replica ask the next one.
    moves: bool,
    timeout: u64,
    retry: Option<Retry>,
    budget: RefCell<RetryBudget>,
    seed: u64,
    /// The start of the warm-up.
    begin: Cell<Mono>,
    t0: Cell<Mono>,
    end: Cell<Mono>,
    draws: Draws,
    clients: RefCell<Vec<CrowdClient>>,
    under_way: RefCell<UnderWay>,
    idle: RefCell<Idle>,
    /// Clients of a closed load that go on, or will.
    active: Cell<u32>,
    /// Whether an open load goes on.
    coming: Cell<bool>,
    stopped: Cell<bool>,
}

impl<W: Witness + 'static> Crowd<W> {
    /// Clients that will ask what the plan says, and tell `witness` what they see.
    #[must_use]
    pub fn new(
        fleet: &Rc<Fleet>,
        scenario: &Scenario,
        plan: Arc<Plan>,
        seed: u64,
        witness: Rc<RefCell<W>>,
    ) -> Rc<Self> {
        let clients = scenario.load.kind.clients_max().unwrap_or(0);
        Rc::new(Self {
            fleet: Rc::clone(fleet),
            plan,
            witness,
            closed: clients > 0,
            moves: scenario.load.on_down == OnDown::Next,
            timeout: nanos(scenario.load.timeout),
            retry: scenario.load.retry,
            budget: RefCell::new(RetryBudget::of(scenario.load.retry.as_ref())),
            seed,
            begin: Cell::default(),
            t0: Cell::default(),
            end: Cell::default(),
            draws: Draws::from(&Rng::new(seed).fork("client-links")),
            clients: RefCell::new(vec![CrowdClient::NONE; clients as usize]),
            under_way: RefCell::default(),
            idle: RefCell::new(Idle::new(fleet.replicas().len())),
            active: Cell::new(0),
            coming: Cell::new(false),
            stopped: Cell::new(false),
        })
    }

    /// Sends the whole load, from `begin` on to its end, and returns when every request of it is over. What comes back
    /// meanwhile comes through [`Crowd::on_call`].
    pub async fn load(&self, begin: Mono, t0: Mono, duration: Duration) {
        self.begin.set(begin);
        self.t0.set(t0);
        self.end.set(t0.plus(duration));
        self.fleet.world.call_at(Mono(begin.0.saturating_add(self.timeout)), TIMEOUTS);
        if self.closed {
            self.begin_clients();
        }
        self.coming.set(true);
        let planned = self.plan.arrivals().map(|arrival| (arrival, 0));
        // A closed load has no arrivals, and its calls below `MOVES` are its clients'.
        let beside = self.plan.writes().map(|write| (write, MOVES));
        join(self.dispatch(begin, planned), self.dispatch(begin, beside)).await;
        self.coming.set(false);
        while self.active.get() > 0 || !self.under_way.borrow().is_empty() {
            self.fleet.world.sleep(LOOK_EVERY).await;
        }
        self.idle.borrow_mut().end_worker().into_iter().for_each(|task| self.fleet.world.end(task));
    }

    /// Stops early: requests that were not sent yet are withdrawn.
    pub fn stop(&self) {
        self.stopped.set(true);
        self.stop_clients();
    }

    /// A replica died: its requests are over, and their clients know at once.
    pub fn lose(self: &Rc<Self>, replica: u16) {
        let lost: Vec<u32> = self.under_way.borrow().of(replica);
        for place in lost {
            self.over(place, Reply::Reset);
        }
        self.idle.borrow_mut().forget(replica);
    }

    /// Does what is due: a request arrives at its replica, or the first deadline has come.
    pub fn on_call(self: &Rc<Self>, number: u32) {
        if number == TIMEOUTS {
            self.time_out();
        } else if number >= MOVES {
            self.arrive(number - MOVES);
        } else if self.closed {
            self.client_asks(number);
        } else {
            self.arrive(number);
        }
    }

    /// Requests that come at their planned times, whatever became of the earlier ones; each with what is added to its place for the
    /// call at its arrival.
    async fn dispatch(&self, begin: Mono, planned: impl Iterator<Item = (Arrival, u32)>) {
        for (n, (Arrival { at_ns, key, replica, op }, call)) in (0..).zip(planned) {
            let intended = begin.0.saturating_add(at_ns);
            self.fleet.world.sleep_until(Mono(intended)).await;
            if self.stopped.get() {
                break;
            }
            let replica = replica as u16;
            let place = RequestPlace { client: NO_CLIENT, n, key, op, replica, ..RequestPlace::first(intended) };
            self.witness.borrow_mut().offer(&self.request(&place));
            let place = self.send(place);
            let arrives = intended.saturating_add(self.fleet.latencies.client.draw(&self.draws));
            self.fleet.world.call_at(Mono(arrives), call + place);
        }
    }

    /// A request is sent: from now on it is under way.
    fn send(&self, place: RequestPlace) -> u32 {
        self.pay(&place);
        self.under_way.borrow_mut().add(place)
    }

    /// A request is at its replica's door.
    fn arrive(self: &Rc<Self>, number: u32) {
        let now = self.fleet.world.now();
        // A call that was for the attempt before this one comes too early for it.
        let there = |place: &RequestPlace| place.task.is_none() && place.sent <= now.0;
        let Some(place) = self.under_way.borrow().get(number).filter(there) else { return };
        let Some(stack) = self.fleet.stack(place.replica) else { return self.refused(number, place) };
        let request = self.fleet.took_request(place.replica);
        let deadline = now.plus(self.fleet.budgets.replica);
        let cx = Cx { request, deadline, replica: place.replica };
        let counters = self.fleet.counters(place.replica);
        let job = Job { number, stack, counters, cx, key: Key::of_item(place.key), op: place.op };
        let idle = self.idle.borrow_mut().take(place.replica);
        let worker = idle.unwrap_or_else(|| self.start_worker(place.replica));
        worker.desk.set(Some(job));
        self.under_way.borrow_mut().places[number as usize].task = Some(worker.task);
        self.fleet.world.run(worker.task);
    }

    /// Nobody listens: a request goes on to the next replica, if its client does such things and has not asked them all.
    fn refused(self: &Rc<Self>, number: u32, place: RequestPlace) {
        let replicas = self.fleet.replicas().len() as u16;
        if !self.moves || place.moved + 1 >= replicas {
            return self.over(number, Reply::Refused);
        }
        let next = RequestPlace { replica: (place.replica + 1) % replicas, moved: place.moved + 1, ..place };
        self.under_way.borrow_mut().places[number as usize] = next;
        // The refusal's way back, and the request's to the next.
        let link = self.fleet.latencies.client;
        let taken = link.draw(&self.draws).saturating_add(link.draw(&self.draws));
        self.fleet.world.call_at(Mono(self.fleet.world.now().0.saturating_add(taken)), MOVES + number);
    }

    /// A new worker for a replica.
    fn start_worker(self: &Rc<Self>, replica: u16) -> Worker {
        let (desk, crowd) = (WorkerSlot::default(), Rc::clone(self));
        let at_work = Rc::clone(&desk);
        let task = self.fleet.world.spawn_idle(replica, async move {
            loop {
                let job = std::future::poll_fn(|_| at_work.take().map_or(Poll::Pending, Poll::Ready)).await;
                match job.op {
                    Op::Get if crowd.plan.batch() > 1 => Box::pin(crowd.turn_page(job, &at_work)).await,
                    Op::Get => {
                        let (answer, connection) = Stack::serve(job.stack, job.cx, &job.key).await;
                        crowd.answered(job.number, &at_work, Reply::Answer(&answer, connection));
                    }
                    Op::Put => {
                        // Boxed: writes are few, and every worker has room for its largest future.
                        let answer = Box::pin(job.stack.write(job.cx, &job.key)).await;
                        crowd.answered(job.number, &at_work, Reply::Wrote(&answer));
                    }
                    Op::Count => {
                        // A replica that counts has what counts.
                        let Some(counters) = job.counters else { continue };
                        let answer = Box::pin(counters.count(job.cx, &job.key)).await;
                        crowd.answered(job.number, &at_work, Reply::Counted(&answer));
                    }
                }
            }
        });
        Worker { task, desk }
    }

    /// A request's replica has its answer, and a worker nothing to do.
    fn answered(&self, number: u32, desk: &WorkerSlot, reply: Reply<'_>) {
        let place = self.under_way.borrow_mut().remove(number);
        if let Some(task) = place.task {
            self.idle.borrow_mut().put(place.replica, Worker { task, desk: Rc::clone(desk) });
        }
        if let Reply::Answer(Ok(Served { flight: Some(flight), .. }), _) = reply {
            self.witness.borrow_mut().led(place.replica, *flight);
        }
        self.record(&place, reply);
    }

    /// A request is over before its replica has answered.
    fn over(&self, number: u32, reply: Reply<'_>) {
        let place = self.under_way.borrow_mut().remove(number);
        if let Some(task) = place.task {
            self.fleet.world.end(task);
        }
        self.record(&place, reply);
    }

    /// What a client has of its request. It thinks, and decides on the next one.
    fn record(&self, place: &RequestPlace, reply: Reply<'_>) {
        let now = self.fleet.world.now().0;
        let given_up = place.sent.saturating_add(self.timeout);
        let back = match reply {
            Reply::TimedOut => now,
            _ => now.saturating_add(self.fleet.latencies.client.draw(&self.draws)),
        };
        // An answer on its way when its client's patience ends is none.
        let (done, reply) = if back > given_up { (given_up, Reply::TimedOut) } else { (back, reply) };
        let Err(unpaid) = self.try_again(place, done, reply) else { return };
        let done_ns = self.since_t0(done);
        let moved_on = place.moved > 0 && !matches!(reply, Reply::Refused);
        let request = Request { moved_on, attempts: place.attempt, unpaid, ..self.request(place) };
        self.witness.borrow_mut().answer(&request, done_ns, reply);
        if place.client != NO_CLIENT {
            let think = nanos(self.plan.think(place.client, place.n));
            self.decide(place.client, place.n + 1, done.saturating_add(think));
        }
    }

    /// Ends the requests whose time is up, and looks again when the next may be.
    fn time_out(&self) {
        let now = self.fleet.world.now().0;
        let (late, next) = self.under_way.borrow_mut().late(now, self.timeout);
        late.into_iter().for_each(|number| self.over(number, Reply::TimedOut));
        if self.active.get() > 0 || self.coming.get() || !self.under_way.borrow().is_empty() {
            self.fleet.world.call_at(Mono(next), TIMEOUTS);
        }
    }

    fn request(&self, place: &RequestPlace) -> Request {
        Request {
            intended_ns: self.since_t0(place.intended),
            key: place.key,
            op: place.op,
            client: (place.client != NO_CLIENT).then_some(place.client),
            number: place.n,
            moved_on: false,
            attempts: 1,
            unpaid: false,
        }
    }

    fn since_t0(&self, at: u64) -> i64 {
        i64::try_from(i128::from(at) - i128::from(self.t0.get().0)).unwrap_or(i64::MAX)
    }
}
