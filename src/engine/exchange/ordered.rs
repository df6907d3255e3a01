//! Parallel work with results in order.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, PoisonError};

use rayon::ThreadPool;

struct State<T> {
    claimed: usize,
    written: usize,
    ready: BTreeMap<usize, T>,
    writing: bool,
    failed: bool,
}

/// Makes all threads end if one panics; otherwise they would wait for its result forever.
struct StopOnPanic<'a, T> {
    state: &'a Mutex<State<T>>,
    turn: &'a Condvar,
}

impl<T> Drop for StopOnPanic<'_, T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.state.lock().unwrap_or_else(PoisonError::into_inner).failed = true;
            self.turn.notify_all();
        }
    }
}

/// Calls `work` for each number below `count`, on all threads of `pool`, and `write` with each
/// result in order, one at a time. The number of results that wait is limited. The first error
/// stops all threads, and so does a panic, which is propagated. Returns the states of the workers.
///
/// # Errors
/// The first error of `work` or `write`.
pub fn in_order<S: Send, T: Send, E: Send>(
    pool: &ThreadPool,
    count: usize,
    start: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize) -> Result<T, E> + Sync,
    write: impl FnMut(T) -> Result<(), E> + Send,
) -> Result<Vec<S>, E> {
    let state = Mutex::new(State {
        claimed: 0,
        written: 0,
        ready: BTreeMap::new(),
        writing: false,
        failed: false,
    });
    let (turn, write) = (Condvar::new(), Mutex::new(write));
    let max_waiting = pool.current_num_threads() * 4;
    let lock = || state.lock().unwrap_or_else(PoisonError::into_inner);
    let fail = |error| {
        lock().failed = true;
        turn.notify_all();
        error
    };
    let results = pool.broadcast(|_| {
        let _stop = StopOnPanic { state: &state, turn: &turn };
        let mut own = start();
        loop {
            let number = {
                let mut state = lock();
                // The thread with the next number to be written never waits here, so this ends.
                while !state.failed && state.claimed >= state.written + max_waiting {
                    state = turn.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
                if state.failed || state.claimed == count {
                    return Ok(own);
                }
                state.claimed += 1;
                state.claimed - 1
            };
            let result = work(&mut own, number).map_err(fail)?;
            let mut state = lock();
            state.ready.insert(number, result);
            if state.writing {
                continue; // the thread that writes will find it
            }
            state.writing = true;
            loop {
                let next = state.written;
                let Some(result) = state.ready.remove(&next) else { break };
                drop(state);
                let mut write = write.lock().unwrap_or_else(PoisonError::into_inner);
                write(result).map_err(fail)?;
                drop(write);
                state = lock();
                state.written += 1;
                turn.notify_all();
            }
            state.writing = false;
        }
    });
    results.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(threads: usize) -> ThreadPool {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
    }

    #[test]
    fn results_come_in_order_from_any_number_of_threads() {
        for threads in [1, 2, 7] {
            let mut seen = Vec::new();
            let work = |done: &mut usize, number: usize| {
                *done += 1;
                if number.is_multiple_of(3) {
                    std::thread::yield_now();
                }
                Ok::<_, ()>(number * 2)
            };
            let write = |result| {
                seen.push(result);
                Ok(())
            };
            let states = in_order(&pool(threads), 500, || 0, work, write).unwrap();
            assert_eq!(states.iter().sum::<usize>(), 500);
            assert_eq!(seen, (0..500).map(|number| number * 2).collect::<Vec<_>>());
        }
    }

    #[test]
    fn an_error_ends_the_work() {
        let work = |(): &mut (), number| if number == 40 { Err("broken") } else { Ok(number) };
        assert_eq!(in_order(&pool(3), 1_000_000, || (), work, |_| Ok(())), Err("broken"));
        let write = |number| if number == 7 { Err("full") } else { Ok(()) };
        assert_eq!(in_order(&pool(3), 1_000_000, || (), |(), n| Ok(n), write), Err("full"));
    }
    #[test]
    fn a_panic_ends_the_work_and_is_passed_on() {
        use std::panic::{AssertUnwindSafe, catch_unwind};
        use std::time::Duration;
        for (in_work, threads) in [(true, 1), (true, 3), (false, 1), (false, 3)] {
            let (tell, told) = std::sync::mpsc::channel();
            std::thread::spawn(move || {
                let work = |(): &mut (), number| {
                    assert!(!in_work || number != 40, "a panic in work");
                    Ok::<_, ()>(number)
                };
                let write = |number| {
                    assert!(in_work || number != 7, "a panic in write");
                    Ok(())
                };
                let run = || in_order(&pool(threads), 1_000_000, || (), work, write);
                tell.send(catch_unwind(AssertUnwindSafe(run)).is_err()).unwrap();
            });
            let panicked = told.recv_timeout(Duration::from_secs(30));
            assert_eq!(panicked, Ok(true), "in work: {in_work}, {threads} threads");
        }
    }
}
