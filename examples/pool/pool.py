import email, imaplib, os, sys
from email.utils import parseaddr
from multiprocessing import Pool
from urllib.parse import unquote, urlsplit


def connect(url):
    parts = urlsplit(url)
    kind = imaplib.IMAP4_SSL if parts.scheme == "imaps" else imaplib.IMAP4
    session = kind(parts.hostname, *filter(None, [parts.port]))
    session.login(unquote(parts.username), os.environ["IMAP_PASSWORD"])
    session.select(parts.path.strip("/"), readonly=True)
    return session


def start(url):
    global session
    session = connect(url)


def work(uids):
    status, answer = session.uid("FETCH", ",".join(uids), "(BODY.PEEK[])")
    results = []
    for part in answer:
        if isinstance(part, tuple):
            raw = part[1]
            sender = parseaddr(email.message_from_bytes(raw.partition(b"\r\n\r\n")[0])["From"])[1]
            results.append((sender, len(raw)))
    return results


if __name__ == "__main__":
    url, workers, chunk = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    found = connect(url).uid("SEARCH", "ALL")[1][0].decode().split()
    chunks = [found[i : i + chunk] for i in range(0, len(found), chunk)]
    octets = {}
    with Pool(workers, start, (url,)) as pool:
        for results in pool.imap_unordered(work, chunks):
            for sender, length in results:
                octets[sender] = octets.get(sender, 0) + length
    for sender in sorted(octets):
        print(octets[sender], sender)
