"""What Python's own decoder makes of messages: for each attachment, the file, a tab, and SHA-256."""

import email, hashlib, re, sys
from email import policy

for file in sys.argv[1:]:
    with open(file, "rb") as raw:
        message = email.message_from_bytes(raw.read(), policy=policy.default)
    for part in message.walk():
        if part.is_multipart():
            continue
        is_text = part.get_content_type() in ("text/plain", "text/html")
        if is_text and part.get_filename() is None and not part.is_attachment():
            continue
        # The decoder wants the bare word.
        encoding = str(part["Content-Transfer-Encoding"] or "")
        del part["Content-Transfer-Encoding"]
        part["Content-Transfer-Encoding"] = re.sub(r'\(.*?\)|[";\s]', "", encoding) or "7bit"
        print(file, hashlib.sha256(part.get_payload(decode=True)).hexdigest(), sep="\t")
