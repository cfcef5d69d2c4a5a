import email, imaplib, os, ssl, sys
from email.utils import getaddresses
from multiprocessing import Pool
from urllib.parse import unquote, urlsplit


def connect(url):
    parts = urlsplit(url)
    trust = ssl.create_default_context()
    if os.environ.get("IMAP_ROOT_CERTIFICATE"):
        trust.load_verify_locations(os.environ["IMAP_ROOT_CERTIFICATE"])
    port = [parts.port] if parts.port else []
    if os.environ.get("DANGER_PLAINTEXT") == "1":
        session = imaplib.IMAP4(parts.hostname, *port)
    elif parts.scheme == "imaps":
        session = imaplib.IMAP4_SSL(parts.hostname, *port, ssl_context=trust)
    else:
        session = imaplib.IMAP4(parts.hostname, *port)
        session.starttls(trust)
    session.login(unquote(parts.username), os.environ["IMAP_PASSWORD"])
    session.select(parts.path.strip("/"), readonly=True)
    return session


def start(url):
    global session
    session = connect(url)


def sender_of(raw):
    # A field with bytes that are not ASCII is no str, one that is not there is None.
    field = str(email.message_from_bytes(raw.partition(b"\r\n\r\n")[0])["From"] or "")
    return next((address for _, address in getaddresses([field])), "").lower()


def work(uids):
    status, answer = session.uid("FETCH", ",".join(uids), "(BODY.PEEK[])")
    return [(sender_of(part[1]), len(part[1])) for part in answer if isinstance(part, tuple)]


if __name__ == "__main__":
    url, workers, chunk = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    found = connect(url).uid("SEARCH", "ALL")[1][0].decode().split()
    chunks = [found[i : i + chunk] for i in range(0, len(found), chunk)]
    sizes = {}
    with Pool(workers, start, (url,)) as pool:
        for results in pool.imap_unordered(work, chunks):
            for sender, size in results:
                sizes[sender] = sizes.get(sender, 0) + size
    for sender in sorted(sizes):
        print(sizes[sender], sender)
