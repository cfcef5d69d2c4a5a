//! What a server repeats of the login is not shown, in whatever form it comes back.

use std::io;
use std::sync::{Arc, Mutex};

use parallel_mailbox::testing::{Fault, Server};
use parallel_mailbox::{Builder, Retry};

use crate::{builder, text_of};

const USER: &str = "ann-is-private";
const PASSWORD: &str = r#"hunter2 "is" secret"#;
const TOKEN: &str = "ya29.token-is-secret";

/// `\0ann-is-private\0hunter2 "is" secret`
const PLAIN: &str = "AGFubi1pcy1wcml2YXRlAGh1bnRlcjIgImlzIiBzZWNyZXQ=";

/// `user=ann-is-private^Aauth=Bearer ya29.token-is-secret^A^A`
const XOAUTH2: &str = "dXNlcj1hbm4taXMtcHJpdmF0ZQFhdXRoPUJlYXJlciB5YTI5LnRva2VuLWlzLXNlY3JldAEB";

/// What must never be seen, also not in part.
const SECRETS: [&str; 9] = [
    USER,
    "hunter2",
    "HUNTER2",
    "secret",
    "ya29",
    "YA29",
    "AGFubi1pcy",
    "aHVudGVyM",
    "dXNlcj1hbm",
];

/// Signs in to a server that says this before it does anything else about it.
fn told(faults: &[Fault], way: &str, sign_in: impl Fn(Builder) -> Builder) -> String {
    let server = Server::builder()
        .login(USER, PASSWORD)
        .token(TOKEN)
        .mechanisms([way])
        .login_disabled(way != "LOGIN")
        .start()
        .unwrap();
    for fault in faults {
        server.add_fault(fault.clone());
    }
    let printed = Arc::new(Mutex::new(String::new()));
    let heard = printed.clone();
    let builder = sign_in(builder(&server))
        .retry(Retry::default().attempts(1))
        .on_event(move |event| {
            heard
                .lock()
                .unwrap()
                .push_str(&format!("{event:?} {event:#?}"))
        });
    let mut text = format!("{builder:?} {builder:#?}");
    let error = builder.connect().unwrap_err();
    text.push_str(&text_of(&error));
    text.push_str(&printed.lock().unwrap());
    text
}

#[test]
fn a_server_that_repeats_a_command_or_a_part_of_it_gets_nothing_shown() {
    let login = format!(r#"LOGIN "{USER}" "hunter2 \"is\" secret""#);
    let password = |builder: Builder| builder.login(USER, PASSWORD);
    let token = |builder: Builder| builder.oauth2(USER, || Ok::<_, io::Error>(TOKEN.to_owned()));
    type SignIn<'a> = &'a dyn Fn(Builder) -> Builder;
    let cases: [(&str, &str, SignIn<'_>, Vec<String>); 3] = [
        (
            "LOGIN",
            "LOGIN",
            &password,
            vec![
                login.clone(),
                login.to_uppercase(),
                login[..login.len() - 9].to_owned(),
                format!("{USER} {PASSWORD}"),
            ],
        ),
        (
            "PLAIN",
            "AUTHENTICATE",
            &password,
            vec![
                format!("AUTHENTICATE PLAIN {PLAIN}"),
                format!("AUTHENTICATE PLAIN {}", &PLAIN[..30]),
                format!("bad password {PASSWORD} for {USER}"),
            ],
        ),
        (
            "XOAUTH2",
            "AUTHENTICATE",
            &token,
            vec![
                format!("AUTHENTICATE XOAUTH2 {XOAUTH2}"),
                format!("AUTHENTICATE XOAUTH2 {}", &XOAUTH2[..40]),
                format!("token {TOKEN} of {USER} is bad"),
            ],
        ),
    ];
    for (way, command, sign_in, texts) in cases {
        for text in texts {
            let text = text.as_str();
            let refused = || Fault::no("", "refused");
            for faults in [
                vec![Fault::no("", text)],
                vec![Fault::no("AUTHENTICATIONFAILED", text)],
                vec![Fault::no("UNAVAILABLE", text)],
                vec![Fault::bad(text)],
                vec![Fault::bye(text)],
                vec![Fault::inject(format!("* NO [ALERT] {text}\r\n")), refused()],
                vec![Fault::inject(format!("{text}\r\n")), refused()],
            ] {
                let strike = |fault: Fault| fault.before(command);
                let faults: Vec<Fault> = faults.into_iter().map(strike).collect();
                let said = told(&faults, way, sign_in);
                // After BAD, nothing at all.
                let is_hidden = said.contains("***") || said.contains("are not shown");
                assert!(is_hidden, "{way}: {text}: {said}");
                for secret in SECRETS {
                    assert!(!said.contains(secret), "{way}: {text}: {secret} in {said}");
                }
            }
        }
    }
}

#[test]
fn a_reason_that_repeats_the_token_is_shown_without_it() {
    // `{"status":"400","token":"ya29.token-is-secret"}`
    let reason = "+ eyJzdGF0dXMiOiI0MDAiLCJ0b2tlbiI6InlhMjkudG9rZW4taXMtc2VjcmV0In0=\r\n";
    let faults = [Fault::inject(reason), Fault::no("", "refused")];
    let faults = faults.map(|fault| fault.before("AUTHENTICATE"));
    let said = told(&faults, "XOAUTH2", |builder| {
        builder.oauth2("somebody-else", || Ok::<_, io::Error>(TOKEN.to_owned()))
    });
    assert!(
        said.contains("status") && said.contains("400") && said.contains("***"),
        "{said}"
    );
    assert!(!said.contains("ya29"), "{said}");
}

/// How often these octets are in the memory of this process. They are given with every bit turned
/// over, so that the question itself is not counted.
#[cfg(target_os = "linux")]
fn times_in_memory(turned_over: &[u8]) -> usize {
    use std::fs;
    use std::os::unix::fs::FileExt;

    let memory = fs::File::open("/proc/self/mem").unwrap();
    let mut times = 0;
    for line in fs::read_to_string("/proc/self/maps").unwrap().lines() {
        let (range, rest) = line.split_once(' ').unwrap();
        if !rest.starts_with("rw") {
            continue;
        }
        let (from, to) = range.split_once('-').unwrap();
        let [from, to] = [from, to].map(|text| u64::from_str_radix(text, 16).unwrap());
        let mut chunk = vec![0; usize::try_from(to - from).unwrap()];
        if memory.read_exact_at(&mut chunk, from).is_err() {
            continue;
        }
        for octet in &mut chunk {
            *octet = !*octet;
        }
        let windows = chunk.windows(turned_over.len());
        times += windows.filter(|window| *window == turned_over).count();
        // Where `turned_over` itself was, this now has what it is turned over from, and the next
        // look would find it in memory that is free again.
        chunk.fill(0);
        std::hint::black_box(&chunk);
    }
    times
}

/// The server is another process, or its copies would be counted.
#[cfg(target_os = "linux")]
#[test]
fn of_a_password_nothing_is_left_in_memory_when_the_mailbox_is_gone() {
    use std::hash::{BuildHasher, RandomState};

    use parallel_mailbox::{Mechanism, ParallelMailbox, Security};

    use crate::support::dovecot::dovecot_or_skip;

    for (mechanisms, is_ascii) in [("plain", true), ("plain", false), ("scram-sha-256", true)] {
        let Some(options) = dovecot_or_skip() else {
            return;
        };
        let lines = format!("auth_mechanisms = {mechanisms}");
        let dovecot = options.extra_configuration(&lines).start();
        // Made here and now, so that it is not in the program either.
        let random = RandomState::new().hash_one(0);
        let mut password = format!("{random:016x}").repeat(2);
        password.push_str(if is_ascii { "s" } else { "ß" });
        let turned_over: Vec<u8> = password.bytes().map(|octet| !octet).collect();
        let builder = ParallelMailbox::builder(dovecot.host())
            .port(dovecot.plain_port())
            .security(Security::DangerPlaintext)
            .login("reader", password);
        let builder = match mechanisms {
            "scram-sha-256" => builder.mechanism(Mechanism::ScramSha256),
            _ => builder,
        };
        assert!(times_in_memory(&turned_over) > 0, "it is found where it is");
        let error = builder.connect().unwrap_err();
        assert!(
            error.to_string().contains("AUTHENTICATIONFAILED"),
            "{error}"
        );
        assert_eq!(times_in_memory(&turned_over), 0, "{mechanisms} {is_ascii}");
    }
}
