//! The word that ends a program, or a part of one: said once, heard by every part.

use tokio::sync::watch;

/// Told once to stop; every clone hears it.
#[derive(Clone)]
pub struct Shutdown(watch::Receiver<bool>);

/// Says the word.
pub struct Stop(watch::Sender<bool>);

impl Shutdown {
    /// A pair: one end says it, the other hears it. It is also heard when the end that would say it is dropped.
    #[must_use]
    pub fn pair() -> (Stop, Self) {
        let (tell, told) = watch::channel(false);
        (Stop(tell), Self(told))
    }

    /// Whether the word was said.
    #[must_use]
    pub fn is_said(&self) -> bool {
        *self.0.borrow()
    }

    /// Ends when the word is said.
    pub async fn wait(&mut self) {
        let _ = self.0.wait_for(|stop| *stop).await;
    }
}

impl Stop {
    /// Asks everybody to finish and end.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}
