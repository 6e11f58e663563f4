//! An order in which everything comes after what it needs, and the circles that prevent one.
//!
//! Works on indices; what they stand for (templates, excluded periods) is the caller's business.
//! Nothing here recurses, for a chain can be as long as a file.
//!
//! Read next: [`super::inherit`].

/// An edge that closes a circle, and the circle itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Circle {
    /// Where the closing edge begins.
    pub(crate) from: usize,
    /// Which of its edges it is.
    pub(crate) edge: usize,
    /// The circle, beginning and ending with the same index.
    pub(crate) path: Vec<usize>,
}

/// All indices, each after those that its edges lead to; edges that close a circle are passed over
/// and reported.
pub(crate) fn order(edges: &[Vec<usize>]) -> (Vec<usize>, Vec<Circle>) {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        Unseen,
        Open,
        Done,
    }
    let mut marks = vec![Mark::Unseen; edges.len()];
    let mut order = Vec::with_capacity(edges.len());
    let mut circles = Vec::new();
    for start in 0..edges.len() {
        if marks[start] != Mark::Unseen {
            continue;
        }
        marks[start] = Mark::Open;
        // The way from `start` to here, with the edge to look at next.
        let mut way = vec![(start, 0)];
        while let Some(top) = way.last_mut() {
            let (node, edge) = *top;
            let Some(&to) = edges[node].get(edge) else {
                marks[node] = Mark::Done;
                order.push(node);
                way.pop();
                continue;
            };
            top.1 += 1;
            match marks[to] {
                Mark::Done => {}
                Mark::Unseen => {
                    marks[to] = Mark::Open;
                    way.push((to, 0));
                }
                Mark::Open => {
                    let nodes = way.iter().map(|(node, _)| *node);
                    let mut path: Vec<usize> = nodes.skip_while(|node| *node != to).collect();
                    path.push(to);
                    circles.push(Circle { from: node, edge, path });
                }
            }
        }
    }
    (order, circles)
}

#[cfg(test)]
mod tests {
    #[test]
    fn everything_comes_after_what_it_needs() {
        let (order, circles) = super::order(&[vec![1, 2], vec![2], vec![], vec![0]]);
        assert_eq!(order, [2, 1, 0, 3]);
        assert_eq!(circles, []);
    }

    #[test]
    fn a_circle_is_reported_once_and_everything_is_still_ordered() {
        let (order, circles) = super::order(&[vec![1], vec![2], vec![0, 2], vec![1]]);
        assert_eq!(order, [2, 1, 0, 3]);
        let paths: Vec<_> = circles.into_iter().map(|c| c.path).collect();
        assert_eq!(paths, [vec![0, 1, 2, 0], vec![2, 2]]);
    }

    #[test]
    fn a_long_chain_does_not_overflow_the_stack() {
        let mut edges: Vec<Vec<usize>> = (1..200_000).map(|n| vec![n]).collect();
        edges.push(vec![]);
        assert_eq!(super::order(&edges).0.len(), 200_000);
    }
}
