//! Who belongs to a cluster, and which slots are whose: `CLUSTER NODES`.

/// Nodes at most: a cluster has a thousand.
const NODES_MAX: usize = 1000;

/// A node as another one sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KnownNode {
    pub(crate) id: String,
    /// `host:port`.
    pub(crate) address: String,
    pub(crate) primary: bool,
    /// Whether it is taken for dead, or nobody knows it yet.
    gone: bool,
    /// The primary that it follows.
    pub(crate) follows: Option<String>,
    /// Of two nodes that claim a slot, the one with the higher epoch has it.
    pub(crate) epoch: u64,
    /// Slots, from and to.
    pub(crate) slots: Vec<(u16, u16)>,
}

impl KnownNode {
    pub(super) fn count(&self) -> u32 {
        self.slots.iter().map(|(from, to)| u32::from(to - from) + 1).sum()
    }

    pub(crate) fn has(&self, slot: u16) -> bool {
        self.slots.iter().any(|(from, to)| (*from..=*to).contains(&slot))
    }
}

/// The nodes of an answer. Those that are gone, or that nobody knows yet, are left out.
pub(super) fn read_nodes(answer: &str) -> Vec<KnownNode> {
    read_all_nodes(answer).into_iter().filter(|node| !node.gone).collect()
}

/// The same with those.
pub(crate) fn read_all_nodes(answer: &str) -> Vec<KnownNode> {
    answer.lines().take(NODES_MAX).filter_map(read_node).collect()
}

/// `ID IP:PORT@BUS[,NAME] FLAGS …`, and its slots from the ninth word on.
fn read_node(line: &str) -> Option<KnownNode> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let (address, flags) = (words.get(1)?.split(['@', ',']).next()?, words.get(2)?);
    let is = |flag: &str| flags.split(',').any(|one| one == flag);
    let gone = address.is_empty() || ["fail", "noaddr", "handshake"].iter().any(|flag| is(flag));
    let follows = words.get(3).filter(|id| **id != "-").map(|id| (*id).to_owned());
    let epoch = words.get(6).and_then(|word| word.parse().ok()).unwrap_or(0);
    // `[slot->-node]` is one on its way.
    let span = |word: &&str| {
        let (from, to) = word.split_once('-').unwrap_or((word, word));
        let (from, to) = (from.parse().ok()?, to.parse().ok()?);
        (from <= to && to < 16_384).then_some((from, to))
    };
    let slots = words.get(8..).unwrap_or_default().iter().filter_map(span).collect();
    let (id, address) = ((*words.first()?).to_owned(), address.to_owned());
    Some(KnownNode { id, address, primary: is("master"), gone, follows, epoch, slots })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_s_line_is_read_and_who_is_gone_is_left_out() {
        let of = |line: &str| read_nodes(line).first().map(|of| (of.address.clone(), of.primary, of.count()));
        let id = "07c37dfeb235213a872192d90877d0cd55635b91";
        let line = format!(
            "{id} 127.0.0.1:30004@31004,name myself,master - 0 1426238317239 4 connected 0-5460 7000 [93->-{id}]"
        );
        assert_eq!(of(&line), Some(("127.0.0.1:30004".into(), true, 5462)));
        let node = read_node(&line).unwrap();
        assert_eq!(node.epoch, 4);
        assert_eq!([0, 5460, 5461, 7000].map(|slot| node.has(slot)), [true, true, false, true]);
        let line = format!("{id} 127.0.0.1:30005@31005 slave {id} 0 1426238316232 5 connected");
        assert_eq!(of(&line), Some(("127.0.0.1:30005".into(), false, 0)));
        assert_eq!(read_node(&line).unwrap().follows.as_deref(), Some(id));
        for flags in ["master,fail", "noaddr,slave", "handshake"] {
            assert_eq!(of(&format!("{id} 127.0.0.1:1@2 {flags} - 0 0 0 connected 5")), None, "{flags}");
            assert_eq!(read_all_nodes(&format!("{id} 127.0.0.1:1@2 {flags} - 0 0 0 connected 5")).len(), 1);
        }
        assert_eq!(of("nonsense"), None);
        assert_eq!(of(&format!("{id} h:1@2 master - 0 0 1 connected 9-3 x-y 5 16384")), Some(("h:1".into(), true, 1)));
    }
}
