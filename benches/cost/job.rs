//! One job in a process of its own, and what it cost there.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::helper::Helper;
use crate::rivals::arrivals::Arrivals;
use crate::rivals::cpu;
use crate::rivals::{self, Done, Extent, Target, Task, imap_crate, ours, raw};
use crate::support::memory;
use crate::words::Words;

/// What is to be done, and by whom.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    /// `raw`, `raw-in-order`, `imap-crate`, one of [`ours::RUNS`], or `search`, which fetches nothing.
    pub(crate) run: String,
    pub(crate) sessions: usize,
    pub(crate) task: Task,
    pub(crate) extent: Extent,
    /// Whether the moments of the first messages are wanted; that costs a lock for each message.
    pub(crate) arrivals: bool,
}

/// What it cost. Times are in seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) wall: f64,
    /// The longest wall time of several rounds in multiples of the shortest.
    pub(crate) spread: f64,
    pub(crate) cpu: f64,
    pub(crate) peak_megabytes: f64,
    /// Until the first message, and until each thread had one; 0 where that was not asked.
    pub(crate) first: f64,
    pub(crate) last: f64,
    /// From a thread's last message to the last of all, on average.
    pub(crate) idle: f64,
    pub(crate) done: Done,
}

impl Cost {
    /// Reads what the process of a job said.
    pub(crate) fn of(result: &str) -> Option<Self> {
        let numbers = result.split(' ').map(|word| word.parse().ok());
        let numbers: Vec<f64> = numbers.collect::<Option<_>>()?;
        let [
            wall,
            cpu,
            peak_megabytes,
            first,
            last,
            idle,
            messages,
            octets,
            parts,
        ] = numbers[..]
        else {
            return None;
        };
        Some(Self {
            wall,
            spread: 1.0,
            cpu,
            peak_megabytes,
            first,
            last,
            idle,
            done: Done {
                messages: messages as u64,
                octets: octets as u64,
                parts: parts as u64,
            },
        })
    }
}

impl Job {
    /// Counts the octets of whole messages.
    pub(crate) fn new(run: &str, sessions: usize) -> Self {
        Self {
            run: run.to_owned(),
            sessions,
            task: Task::Count,
            extent: Extent::Full,
            arrivals: false,
        }
    }

    /// The arguments that make a process of this program do the job.
    pub(crate) fn arguments(&self, target: &Target) -> Vec<String> {
        let Self { run, sessions, .. } = self;
        let Target {
            port,
            user,
            password,
            messages,
            octets_each,
            root,
        } = target;
        let line = format!(
            "job run={run} sessions={sessions} task={} extent={} arrivals={} port={port} \
             user={user} password={password} messages={messages} octets_each={octets_each}",
            self.task.name(),
            match self.extent {
                Extent::Full => "full",
                Extent::Headers => "headers",
                Extent::Metadata => "metadata",
            },
            self.arrivals,
        );
        let mut arguments: Vec<_> = line.split(' ').map(str::to_owned).collect();
        let root = root.iter().map(|root| format!("root={}", root.display()));
        arguments.extend(root);
        arguments
    }

    /// Does the job in a process of its own.
    pub(crate) fn run(&self, target: &Target) -> Cost {
        let (_helper, result) = Helper::start(&self.arguments(target), "result ");
        let cost = Cost::of(&result).unwrap_or_else(|| panic!("not a result: {result}"));
        let expected = if self.run == "search" {
            0
        } else {
            target.messages
        };
        assert!(
            cost.done.messages == expected as u64,
            "{self:?} has read {:?}",
            cost.done
        );
        cost
    }

    /// The same under a program such as `valgrind`, given with its own arguments.
    pub(crate) fn command_under(&self, target: &Target, program: &[&str]) -> Command {
        let mut command = Command::new(program[0]);
        command
            .args(&program[1..])
            .arg(std::env::current_exe().unwrap())
            .args(self.arguments(target));
        command
    }
}

/// In the process of a job: does it and says what it cost.
pub(crate) fn main(arguments: &[String]) {
    let words = Words::new(arguments);
    let target = Target {
        port: words.want("port"),
        user: words.want("user"),
        password: words.want("password"),
        messages: words.want("messages"),
        octets_each: words.value("octets_each").unwrap_or(16 * 1024),
        root: words.value("root"),
    };
    let (cpu_before, begun, arrivals) = (cpu::time(), Instant::now(), Arrivals::begin());
    let job = rivals::Job {
        sessions: words.want("sessions"),
        task: words
            .text("task")
            .and_then(Task::named)
            .unwrap_or(Task::Count),
        extent: match words.text("extent") {
            Some("headers") => Extent::Headers,
            Some("metadata") => Extent::Metadata,
            _ => Extent::Full,
        },
        arrivals: (words.text("arrivals") == Some("true")).then_some(&arrivals),
    };
    let done = match words.text("run").unwrap_or("for_each") {
        "raw" => raw::read(&target, job),
        "raw-in-order" => raw::read_in_order(&target, job),
        "imap-crate" => imap_crate::read(&target, job),
        "search" => {
            let matches = ours::search(&target, job.sessions);
            assert_eq!(matches.len(), target.messages);
            Done::default()
        }
        run => ours::read(&target, job, run),
    };
    let (wall, cpu) = (begun.elapsed(), cpu::time() - cpu_before);
    let peak = memory::peak_octets().unwrap_or(0) as f64 / 1e6;
    let seconds = |time: Option<Duration>| time.unwrap_or_default().as_secs_f64();
    println!(
        "result {} {} {peak} {} {} {} {} {} {}",
        wall.as_secs_f64(),
        cpu.as_secs_f64(),
        seconds(arrivals.first()),
        seconds(arrivals.last()),
        seconds(arrivals.idle()),
        done.messages,
        done.octets,
        done.parts,
    );
}
