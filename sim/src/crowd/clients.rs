//! The clients of a closed load: each decides on its next request when it has thought about the last one's answer, and while
//! it is active; between ramps all are, or those that the plan says.

use std::rc::Rc;

use strategies::time::{Mono, nanos};

use super::client::{ClientState, CrowdClient};
use super::{Crowd, Witness};

impl<W: Witness + 'static> Crowd<W> {
    pub(super) fn begin_clients(&self) {
        let count = u32::try_from(self.clients.borrow().len()).unwrap_or(u32::MAX);
        self.active.set(count);
        for number in 0..count {
            self.decide(number, 0, self.begin.get().0.saturating_add(nanos(self.plan.first_send(number))));
        }
    }

    /// A client decides on its next request, or rests until it is active, or ends.
    pub(super) fn decide(&self, number: u32, n: u64, intended: u64) {
        let begin = self.begin.get().0;
        let sent = self.plan.next_active(number, intended - begin).map(|at| begin.saturating_add(at));
        let Some(sent) = sent.filter(|sent| *sent < self.end.get().0 && !self.stopped.get()) else {
            self.active.set(self.active.get() - 1);
            return;
        };
        if sent > intended {
            let client = CrowdClient { intended: sent, n, state: ClientState::Rests, ..CrowdClient::NONE };
            self.clients.borrow_mut()[number as usize] = client;
            return self.fleet.world.call_at(Mono(sent), number);
        }
        let item = self.plan.item(number, n, sent - begin);
        let (key, op, replica) = (item.key, item.op, item.replica as u16);
        let client = CrowdClient { intended, n, key, op, replica, state: ClientState::Waits };
        self.clients.borrow_mut()[number as usize] = client;
        self.witness.borrow_mut().offer(&self.request(&client.place(number)));
        let arrives = intended.saturating_add(self.fleet.latencies.client.draw(&self.draws));
        self.fleet.world.call_at(Mono(arrives), number);
    }

    /// A client's call: its request is at its replica's door, or it is active again.
    pub(super) fn client_asks(self: &Rc<Self>, number: u32) {
        let client = {
            let mut clients = self.clients.borrow_mut();
            let client = &mut clients[number as usize];
            std::mem::replace(client, CrowdClient { state: ClientState::Away, ..*client })
        };
        match client.state {
            ClientState::Away => {} // it was stopped meanwhile
            ClientState::Rests => self.decide(number, client.n, client.intended),
            ClientState::Waits => {
                let place = self.send(client.place(number));
                self.arrive(place);
            }
        }
    }

    /// No client decides on anything more; requests that were not sent yet are withdrawn.
    pub(super) fn stop_clients(&self) {
        let mut clients = self.clients.borrow_mut();
        for (number, client) in (0..).zip(clients.iter_mut()) {
            if client.state == ClientState::Away {
                continue;
            }
            self.active.set(self.active.get() - 1);
            if client.state == ClientState::Waits {
                self.witness.borrow_mut().withdraw(&self.request(&client.place(number)));
            }
            client.state = ClientState::Away;
        }
    }
}
