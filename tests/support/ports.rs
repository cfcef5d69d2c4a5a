//! Ports for servers that cannot be given a listener.

use std::net::TcpListener;

/// Two ports that were free a moment ago. Both are held until both are known, so they differ.
pub(crate) fn two_free() -> (u16, u16) {
    let listeners = [(), ()].map(|()| TcpListener::bind(("127.0.0.1", 0)).expect("a free port"));
    let [plain, tls] = listeners.map(|listener| {
        listener
            .local_addr()
            .expect("a bound socket has an address")
            .port()
    });
    (plain, tls)
}
