//! Several jobs, several times, one after the other, so that a busy moment hits all alike; of each
//! figure, the median.

use crate::job::{Cost, Job};
use crate::rivals::Target;

/// Where the wall times of the rounds differ by this factor, their median is not worth much.
pub(crate) const RESTLESS: f64 = 1.5;

/// The median cost of each job, in the calmer of two tries if the first was not calm.
pub(crate) fn calm_medians(target: &Target, jobs: &[Job], rounds: usize) -> Vec<Cost> {
    let unrest = |costs: &[Cost]| costs.iter().map(|cost| cost.spread).fold(0.0, f64::max);
    let first = medians(target, jobs, rounds);
    if unrest(&first) <= RESTLESS {
        return first;
    }
    let second = medians(target, jobs, rounds);
    if unrest(&second) < unrest(&first) {
        second
    } else {
        first
    }
}

/// The median cost of each job.
///
/// # Panics
///
/// Where the jobs do not all read the same.
pub(crate) fn medians(target: &Target, jobs: &[Job], rounds: usize) -> Vec<Cost> {
    let mut costs: Vec<Vec<Cost>> = jobs.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds {
        for (job, costs) in jobs.iter().zip(&mut costs) {
            costs.push(job.run(target));
        }
    }
    let done = costs[0][0].done;
    for (job, costs) in jobs.iter().zip(&costs) {
        for cost in costs {
            assert_eq!(
                cost.done, done,
                "{job:?} has not read what {:?} has",
                jobs[0]
            );
        }
    }
    costs.iter().map(|costs| median_of(costs)).collect()
}

fn median_of(costs: &[Cost]) -> Cost {
    let of = |figure: fn(&Cost) -> f64| median(costs.iter().map(figure).collect());
    let walls = || costs.iter().map(|cost| cost.wall);
    Cost {
        spread: walls().fold(0.0, f64::max) / walls().fold(f64::INFINITY, f64::min),
        wall: of(|cost| cost.wall),
        cpu: of(|cost| cost.cpu),
        peak_megabytes: of(|cost| cost.peak_megabytes),
        first: of(|cost| cost.first),
        last: of(|cost| cost.last),
        idle: of(|cost| cost.idle),
        done: costs[0].done,
    }
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
