# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every size, count and time limit of the servers, with its unit and its reason.

Invariants:

* whatever a stranger can send has a cap here, and a test at its edge;
* sizes are bytes and times are seconds unless the name says otherwise.
"""

KIB = 1024
MIB = 1024 * KIB

# --- connections (whistle.http.serve) -------------------------------------------------------------
MAX_CONNECTIONS = 1024  # tor brings each reader on a stream of its own; beyond this we hang up
BACKLOG = 4096  # not yet accepted: on a full queue of a Unix socket tor's connection fails at once
PROGRESS_BYTES = 64 * KIB  # of a body: a connection that brings as much is not idle
DESCRIPTOR_RESERVE = 128  # kept from connections for the feed, the blobs and the database
UPLOAD_DESCRIPTOR_RESERVE = 64  # kept from uploads too: a file is one descriptor more
MAX_REQUEST_LINE = 4 * KIB  # our longest own path is below 100 bytes
MAX_HEADER_FIELD = 4 * KIB
MAX_HEADERS = 64  # Tor Browser sends about a dozen
HEADER_TIMEOUT = 75.0  # idle between requests, and for a request head to arrive completely
WRITE_TIMEOUT = 120.0  # how long an answer waits for a peer that reads nothing
LINGER_TIMEOUT = 10.0  # reading away a refused body, so that the browser gets to see our answer
SHUTDOWN_TIMEOUT = 10.0
READ_BUFFER = 512 * KIB  # how much of a body aiohttp may hold before it stops reading
CROWD = 16  # connections from which on each newcomer gets the two smaller buffers below
READ_BUFFER_LEAST = 16 * KIB
RECEIVE_LEAST = 16 * KIB  # taken from the system at once

# --- circuits (whistle.http.circuits): a score is what a circuit has lately asked for -------------
MAX_CIRCUITS = 4096  # remembered; 100 bytes each
MAX_CIRCUIT_CONNECTIONS = 32  # as many streams as tor lets a circuit have (onion.torrc)
FAIR_CONNECTIONS = 8  # of one circuit; a browser opens 6 to one host
SCORE_HALF_LIFE = 60.0
FAIR_SCORE = 150.0  # beyond it a circuit waits while others are here: a report costs about 15
MOST_SCORE = 1500.0  # beyond it a circuit is refused: some 100 reports within a minute
GREEDY_RATE = 100.0  # cost per second of all greedy circuits together, while others are here
OTHERS_HERE = 2.0  # how long a fair request counts as somebody being here
COST_PAGE = 1.0
COST_LOOK = 4.0  # a code typed, a thread read
COST_STORE = 4.0  # a report, a message, an action
COST_PIECE = 0.25  # 1 MiB of a sealed file
COST_MALFORMED = 10.0
MALFORMED_PAUSE = 0.1  # before a malformed request is told so, the first time
MALFORMED_STEPS = 30  # how many times as long at most, if one circuit sends it again and again
SPENT_PAUSE = 1.0  # before a spent circuit is told so, or hung up on

# --- admission (whistle.intake.admission) ---------------------------------------------------------
LOOK_SLOTS = 16  # threads being opened at once
STORE_SLOTS = 48  # reports and messages being sealed and written at once; they share commits
PAGE_SLOTS = 64
MAX_WAITING = 256  # requests of one kind that wait for a slot
QUEUE_PATIENCE = 20.0  # waiting for a slot, before the answer is `busy`
RETRY_AFTER = 30  # what `busy` tells a client
TURN_CROWD = 8  # circuits waiting for a turn to be read, from which on there is a gap between turns
TURN_GAP = 0.001
BULK_AFTER = 128 * KIB  # of a body, from which on it is read in turns with other large bodies

# --- bodies ---------------------------------------------------------------------------------------
FORM_IDLE_TIMEOUT = 60.0  # a form without files is a few packets
FORM_TOTAL_TIMEOUT = 300.0
BODY_IDLE_TIMEOUT = 300.0  # tor circuits stall for minutes and recover
BODY_TOTAL_TIMEOUT = 7200.0  # a 200 MB file at 30 kB/s
UPLOAD_MIN_RATE = 2 * KIB  # bytes per second on average, once BODY_IDLE_TIMEOUT has passed
FORM_MEMORY = 64 * MIB  # text that is arriving and sealed bytes before the disk, of all forms
TEXT_RESERVE = 16 * MIB  # of it, kept for text: sealed bytes of files may not use it up
FEED_MEMORY = 64 * MIB  # the same for what the case server pushes
MAX_SMALL_BODY = 256 * KIB  # forms without a file; an objection of 10,000 characters, URL-encoded
MAX_FEED_BODY = 16 * MIB  # mailbox entries pushed by the case server

# --- forms ----------------------------------------------------------------------------------------
MAX_FILES = 5
MAX_FILE_BYTES = 200 * MIB  # per file; settings may change it
MAX_PARTS = 64  # fields of the form, its files, and slack
MAX_PART_HEADERS = 8  # RFC 7578 knows three
MAX_PART_HEADER = 4 * KIB
MAX_BOUNDARY = 200  # RFC 2046 allows 70; browsers stay under 60
MAX_TEXT_BYTES = 512 * KIB  # all text fields together: 50,000 characters of 4 bytes, and the rest
MAX_FIELD_NAME = 64

# --- uploads --------------------------------------------------------------------------------------
UPLOAD_PIECE = 1 * MIB  # sealed bytes handed to the disk thread at once, if few files are open
UPLOAD_PIECE_LEAST = 16 * KIB  # if many are
UPLOAD_BUFFERS = 16 * MIB  # pieces being gathered, of all files: this decides their size
UPLOAD_QUEUE = 8  # pieces waiting for the disk, per file, before reading stops
UPLOAD_QUEUE_ALL = 24  # the same over all files of all connections
UPLOAD_SYNC_EVERY = 16 * MIB  # so that the last fdatasync is short
DISK_RESERVE = 256 * MIB  # below this much free space files are refused, text reports are not
MAX_FILES_WAITING = 50 * 1024 * MIB  # sealed files that the case server has not collected
MAX_THREAD_WAITING = 4 * 1024 * MIB  # the same of one thread, so of one code

# --- pieces of sealed files (docs/spec/client-api.md) ---------------------------------------------
PIECE = 1 * MIB  # ciphertext per request; only the last one is shorter
HARD_MAX_FILE = 500 * MIB  # no setting goes beyond
MAX_BLOBS = 16  # sealed files of one message, as many as a case server takes
UNCLAIMED_DAYS = 1  # whole days without a new piece after which an upload goes: 24 to 48 hours
MAX_UNCLAIMED = 20 * 1024 * MIB  # received bytes that no message has taken yet, all uploads
MAX_UPLOADS = 4096  # uploads that no message has taken yet

# --- reporters' clients ---------------------------------------------------------------------------
NONCE_LIFE = 300.0
MAX_NONCES = 16_384  # oldest first out: a client whose nonce was pushed out asks for another
MAX_API_BODY = 4 * MIB  # a 1 MiB frame for 16 people, and an own copy of it, in base64
MAX_DOSSIER = 4 * KIB
READ_STEP = 32 * KIB  # answers to readers are a multiple of this

# --- reporters' sessions --------------------------------------------------------------------------
SESSION_IDLE = 15 * 60.0
MAX_SESSIONS = 10_000  # oldest first out
MAX_SESSIONS_PER_THREAD = 4  # so that one code cannot push everybody else out
# Status answers leave at multiples of this. Measured on two cores: an unknown code takes 0.2 ms of
# work, a known one 0.7 ms and 0.6 ms more for each reply. Up to 5 replies (4 ms) the times of known
# and unknown codes are equal to 0.1 ms, up to 8 nearly always; 20 replies take two steps. With 8
# requests at once this allows 600 answers a second; 15 ms would allow 470.
STATUS_FLOOR = 0.012

# --- store ----------------------------------------------------------------------------------------
WRITE_DEADLINE = 30.0  # how long a request waits for the disk before it is told `busy`
MAX_BATCH = 64  # writes that may share one commit
BUSY_TIMEOUT_MS = 10_000
TOKEN_DAYS = 2  # how many days a form stays recognisable as pressed twice
MAX_OWN_MESSAGES = 200  # later messages of one thread
MAX_OWN_BYTES = 1 * MIB  # the same, as own copies: every look at a thread opens all of them
SPARE_OWN = 16  # objections and withdrawals beyond these, if sealed where we cannot judge them
SPARE_OWN_BYTES = 64 * KIB  # for the copy of each
MAX_BOX = 2 * MIB  # one mailbox entry

# --- feed -----------------------------------------------------------------------------------------
FEED_DEFAULT_RECORDS = 50
FEED_MAX_RECORDS = 500
FEED_ANSWER_BYTES = 4 * MIB  # a listing stops growing here, always holding at least one record
FEED_MAX_STATISTICS = 64 * KIB

FEED_FILES = 500  # public files in one push
MAX_PUBLIC_FILE = 4 * MIB  # a chart has 30 kB, the largest table below 1 MiB
MAX_PUBLIC_BYTES = 2 * 1024 * MIB  # decades of log, and of quarterly releases with their own copy
MAX_ARCHIVES = 64  # archives of public files on their way; each holds one piece in memory
ARCHIVE_PIECE = 64 * KIB  # of an archive at a time
MAX_RELEASE_FILES = 20_000  # files of one release, its copy of the log among them

# --- organisation ---------------------------------------------------------------------------------
ORG_CHECK_EVERY = 5.0
MAX_ORG_FILE = 4 * MIB
