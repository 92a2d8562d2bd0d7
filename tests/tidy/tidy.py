#!/usr/bin/env python3
"""The rules of the house that a machine can see. Prints one line per violation, `path:line: what is wrong`; exit status 1 if any.

    tidy.py ROOT [CHECK...]

Each check is a function below with the rule as its first line; the tables at the top are the rules' data. tidy_test.py plants a
violation of every one and expects it to be found.
"""
import fnmatch
import os
import re
import shutil
import subprocess
import sys

# ---- the rules' data ---------------------------------------------------------------------------------------------------------------

# Who may include whom, besides base, runtime's public headers and themselves. CMakeLists.txt may link no more than this.
ROOMS = {
    "base": [],
    "io": [],
    "metrics": [],
    "record": [],
    "wire": [],
    "transport": ["io", "wire"],
    "log": ["record", "io"],
    "broker": ["wire", "record", "log", "io", "metrics", "transport"],
    "server": ["transport", "wire", "broker", "io"],
    "client": ["wire", "record", "io", "transport"],
    "topology": [],
    "task": ["topology", "record", "client", "metrics", "io"],
    "worker": ["task", "topology", "client", "io", "metrics", "wire"],  # wire: subscriptions and assignments are Kafka's messages
    "testdriver": ["task", "topology", "client", "record", "io"],
    "http": ["io", "metrics", "broker", "worker"],
    "app": ["worker", "broker", "server", "client", "http", "metrics", "io", "topology", "task"],
    "operators": [],
    "state": ["record", "io"],
    "cli": None,  # everything
}

# Whose public headers (include/millstream) a room may include besides runtime's.
PUBLIC = {"operators": ["operators", "state"], "state": ["state"], "cli": ["operators", "state"]}

# A library's header: the paths that may include it.
LIBRARIES = {
    "uv.h": ["runtime/io/"],
    "lmdb.h": ["state/lmdb_", "tests/"],
    "openssl/": ["runtime/transport/", "tests/"],
    "jansson.h": ["runtime/cli/", "runtime/http/", "runtime/app/", "tests/"],
    "zlib.h": ["runtime/record/", "runtime/metrics/", "tests/"],
    "zstd.h": ["runtime/record/", "tests/"],
    "lz4": ["runtime/record/", "tests/"],
    "snappy-c.h": ["runtime/record/", "tests/"],
}

# Calls that only some paths may make; all others go through what the text names. Unit and other tests are the world's end: exempt
# where `tests/` is listed, and so are the examples, which are users.
BANNED = [
    ("time|clock|clock_gettime|gettimeofday|nanosleep|usleep|sleep", "time comes in with the call (struct io_time)",
     ["runtime/io/", "tests/bench/", "tests/conformance/", "tests/support/", "tests/integration/",
      "examples/"]),
    ("rand|srand|random|srandom|rand_r|drand48|getrandom|arc4random", "random numbers come from loop_random or base/prng.h",
     ["runtime/io/"]),
    ("open|openat|fopen|freopen|fdopen|creat|opendir|unlink|mkdir|rmdir|mkstemp|pread|pwrite|fsync|fdatasync|ftruncate|mmap|flock",
     "files go through io/io.h", ["runtime/io/", "tests/", "examples/"]),
    ("socket|accept4|getaddrinfo|setsockopt|recvmsg|sendmsg", "the network goes through io/io.h", ["runtime/io/", "tests/"]),
    ("malloc|calloc|realloc|free|strdup|strndup|aligned_alloc|posix_memalign|asprintf|vasprintf", "memory goes through base/alloc.h",
     ["runtime/base/alloc.c", "tests/", "examples/"]),
    ("strcpy|strcat|stpcpy|sprintf|vsprintf|gets|strtok|alloca|atoi|atol|atof", "has no bound or no error; use the bounded form", ["tests/"]),
    ("system|popen|fork|vfork", "this program starts no other", ["tests/"]),
]

FUNCTION_LINES_MAX = 80
# Functions that may be longer, and how long: they only shrink.
LONG_FUNCTIONS = {}

LINE_COLUMNS_MAX = 130
README_LINES_MAX = 80
CASES = 40  # of Kafka Streams' semantics, in tests/unit/operators/README.md
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|\bfor now\b")

SKIPPED_FOLDERS = {".git", ".build", ".cache", "node_modules"}
INCLUDE_FOLDERS = ["runtime", "runtime/include", "operators", "operators/include", "state/include", "", "tests", "tests/bench",
                   "examples/common", "examples"]
PUBLIC_FOLDERS = {"runtime": "runtime/include", "operators": "operators/include", "state": "state/include"}

# ---- reading the tree --------------------------------------------------------------------------------------------------------------

TOKENS = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S)


def without_comments(text, strings_too):
    def blank(match):
        token = match.group()
        if token[0] in "\"'":
            return '""' if strings_too else token
        return "\n" * token.count("\n") or " "
    return TOKENS.sub(blank, text)


class Tree:
    """All files below a root by relative path, read once."""

    def __init__(self, root):
        self.root = root
        self.texts = {}
        for folder, folders, names in os.walk(root):
            folders[:] = sorted(f for f in folders if f not in SKIPPED_FOLDERS and not f.startswith("build"))
            for name in sorted(names):
                path = os.path.relpath(os.path.join(folder, name), root)
                if name.endswith((".c", ".h", ".md", ".py", ".sh", ".js", ".txt", ".cmake", ".json")) or path == ".ci/run":
                    with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
                        self.texts[path] = file.read()
                else:
                    self.texts[path] = None

    def code(self, *suffixes):
        return [path for path in self.texts if path.endswith(suffixes or (".c", ".h"))]

    def includes(self, path):
        """(line number, name, is_quoted) of each #include."""
        for number, line in enumerate(without_comments(self.texts[path], False).split("\n"), 1):
            match = re.match(r"\s*#\s*include\s*([<\"])([^>\"]+)[>\"]", line)
            if match:
                yield number, match.group(2), match.group(1) == '"'

    def resolve(self, path, name):
        """The file that an include means, or None."""
        for folder in [os.path.dirname(path)] + INCLUDE_FOLDERS:
            candidate = os.path.normpath(os.path.join(folder, name))
            if candidate in self.texts:
                return candidate
        return None


def room_of(path):
    """The room of a file, with "public:<side>" for public headers; None outside the rooms."""
    parts = path.split("/")
    for side, folder in PUBLIC_FOLDERS.items():
        if path.startswith(folder + "/"):
            return "public:" + side
    if parts[0] == "runtime" and len(parts) > 2:
        return parts[1]
    return parts[0] if parts[0] in ("operators", "state") else None


def may_include(room, target):
    if room.startswith("public:"):
        side = room.split(":")[1]
        return target in ["public:runtime"] + ["public:" + s for s in PUBLIC.get(side, []) + [side]]
    if target in (room, "base", "public:runtime") or ROOMS.get(room, []) is None:
        return True
    if target.startswith("public:"):
        return target.split(":")[1] in PUBLIC.get(room, [])
    return target in ROOMS.get(room, [])


# ---- checks ------------------------------------------------------------------------------------------------------------------------

def check_include_direction(tree):
    """Nothing points upward: a room includes only what the table ROOMS allows."""
    for path in tree.code():
        room = room_of(path)
        if room and not room.startswith("public:") and room not in ROOMS:
            yield path, 1, f"room {room} is not in the table of rooms"
            continue
        for line, name, quoted in tree.includes(path):
            target_path = tree.resolve(path, name)
            if quoted and not target_path:
                yield path, line, f"{name} does not exist"
            if not target_path:
                continue
            target = room_of(target_path)
            if path.startswith("examples/") and not (target or "").startswith("public:") and not target_path.startswith("examples/"):
                yield path, line, f"an example includes {name}, which is not public"
            if room and target and not may_include(room, target):
                yield path, line, f"{room} may not include {name}"
            if room and not target:
                yield path, line, f"{room} may not include {name}, which is in no room"


def check_links(tree):
    """CMakeLists.txt links no room to another that it may not include."""
    text = tree.texts.get("CMakeLists.txt") or ""
    for match in re.finditer(r"^room\((\w+) [^\s)]+([^)]*)\)", text, re.M):
        line = text[:match.start()].count("\n") + 1
        room = match.group(1)
        if room not in ROOMS:
            yield "CMakeLists.txt", line, f"room {room} is not in the table of rooms"
            continue
        for link in re.findall(r"\bmill_(\w+)", match.group(2)):
            if not may_include(room, link):
                yield "CMakeLists.txt", line, f"{room} may not link {link}"


def check_libraries(tree):
    """A library is seen by one room."""
    for path in tree.code():
        for line, name, quoted in tree.includes(path):
            for header, allowed in LIBRARIES.items():
                if not quoted and name.startswith(header) and not path.startswith(tuple(allowed)):
                    yield path, line, f"<{name}> belongs to {', '.join(allowed)}"


def check_calls(tree):
    """No clock, random source, file, socket or heap but through its room; no unbounded string function."""
    rules = [(re.compile(r"(?<![\w.>])(" + names + r")\s*\("), why, tuple(allowed)) for names, why, allowed in BANNED]
    for path in tree.code():
        text = without_comments(tree.texts[path], True)
        own = set(re.findall(r"\(\*(\w+)\)\(", text))  # function pointers that share the name
        for number, line in enumerate(text.split("\n"), 1):
            for pattern, why, allowed in rules:
                match = None if path.startswith(allowed) else pattern.search(line)
                if match and match.group(1) not in own:
                    yield path, number, f"{match.group(1)}(): {why}"


def check_unused_headers(tree):
    """A header that nobody includes is not there."""
    included = {tree.resolve(path, name) for path in tree.code() for _, name, _ in tree.includes(path)}
    for path in tree.code(".h"):
        if path not in included:
            yield path, 1, "nobody includes this header"


def check_unused_scripts(tree):
    """A script that no other file names, imports or globs is not there."""
    for path in tree.code(".sh", ".py", ".js", ".cmake"):
        name = os.path.basename(path)
        beside = tree.texts.get(os.path.join(os.path.dirname(path), "CMakeLists.txt")) or ""
        globbed = any(fnmatch.fnmatch(name, glob) for glob in re.findall(r"[\w.-]*\*[\w.*-]*", beside))
        named = any(text and other != path and (name in text or f"import {name[:-3]}\n" in text)
                    for other, text in tree.texts.items())
        if not globbed and not named:
            yield path, 1, "no other file names this script"


def check_public_headers(tree):
    """Each public header compiles alone as C11, C17 and C++17, without a warning."""
    folders = [os.path.join(tree.root, f) for f in PUBLIC_FOLDERS.values()]
    languages = [("cc", "c", "c11"), ("cc", "c", "c17"), ("c++", "c++", "c++17")]
    for path in tree.code(".h"):
        if not (room_of(path) or "").startswith("public:"):
            continue
        for compiler, language, standard in languages:
            if not shutil.which(compiler):
                continue
            command = [compiler, "-x", language, f"-std={standard}", "-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only"]
            source = f'#include "{os.path.join(tree.root, path)}"\n'
            run = subprocess.run(command + ["-I" + f for f in folders] + ["-"], input=source, capture_output=True, text=True)
            if run.returncode != 0:
                first = next((l for l in run.stderr.split("\n") if "error" in l), run.stderr.strip())
                yield path, 1, f"does not compile alone as {standard}: {first.replace(tree.root + '/', '')}"


def check_layout(tree):
    """No trailing blanks, tabs or lines above 130 columns; files end with one newline."""
    for path in tree.code(".c", ".h", ".md", ".py", ".sh", ".txt"):
        if path.endswith("LICENSE.txt"):
            continue
        lines = tree.texts[path].split("\n")
        is_code = path.endswith((".c", ".h"))
        for number, line in enumerate(lines, 1):
            if line != line.rstrip():
                yield path, number, "blanks at the end of the line"
            if is_code and "\t" in line:
                yield path, number, "a tab"
            if is_code and len(line) > LINE_COLUMNS_MAX and not line.lstrip().startswith('"'):  # a text is not broken
                yield path, number, f"{len(line)} columns, {LINE_COLUMNS_MAX} are allowed"
        if tree.texts[path] and (lines[-1] != "" or lines[-2:] == ["", ""]):
            yield path, len(lines), "the file does not end with one newline"


def check_format(tree):
    """The tree is as clang-format writes it."""
    style = os.path.join(tree.root, ".clang-format")
    if not shutil.which("clang-format") or not os.path.exists(style):
        return
    paths = [os.path.join(tree.root, path) for path in tree.code()]
    run = subprocess.run(["clang-format", "--dry-run", "--style=file"] + paths, capture_output=True, text=True)
    told = set()
    for match in re.finditer(r"^(\S+?):(\d+):\d+: warning: code should be clang-formatted", run.stderr, re.M):
        path = os.path.relpath(match.group(1), tree.root)
        if path not in told:
            told.add(path)
            yield path, int(match.group(2)), "is not formatted; run clang-format -i"


def functions_of(text):
    """(name, first line, number of lines) of each function: in our style a body's braces alone stand in the first column."""
    lines = without_comments(text, True).split("\n")
    start = None
    for number, line in enumerate(lines, 1):
        if line.rstrip() == "{":
            start = number
        elif line.rstrip() == "}" and start is not None:
            head = " ".join(lines[max(0, start - 6):start - 1])
            names = re.findall(r"(\w+)\s*\((?!\()", head.split(";")[-1].split("}")[-1])
            yield (next((n for n in names if n not in ("__attribute__", "target", "format")), "?"), start, number - start - 1)
            start = None


def check_function_length(tree):
    """Functions fit in a glance; the listed ones only shrink."""
    for path in tree.code(".c"):
        for name, line, length in functions_of(tree.texts[path]):
            limit = LONG_FUNCTIONS.get(f"{path}:{name}", FUNCTION_LINES_MAX)
            if length > limit:
                yield path, line, f"{name} has {length} lines, {limit} are allowed"


def check_unfinished(tree):
    """Nothing is left for later in the code."""
    for path in tree.code(".c", ".h", ".sh", ".txt"):
        for number, line in enumerate(tree.texts[path].split("\n"), 1):
            match = UNFINISHED.search(line)
            if match:
                yield path, number, f"\"{match.group()}\": finish it or make it an issue"


def check_readmes(tree):
    """Each room and each example has a README of one screen, and the files that a README names exist."""
    rooms = {f"runtime/{room}" for room in ROOMS if room not in ("operators", "state")} | {"operators", "state"}
    rooms |= {"examples/" + p.split("/")[1] for p in tree.code(".c") if p.startswith("examples/")}
    for room in sorted(rooms):
        has_code = any(path.startswith(room + "/") for path in tree.code(".c"))
        if has_code and f"{room}/README.md" not in tree.texts:
            yield room, 1, "has no README.md"
    for path in tree.code("README.md"):
        lines = tree.texts[path].split("\n")
        if len(lines) > README_LINES_MAX and path != "README.md":
            yield path, len(lines), f"{len(lines)} lines, one screen is {README_LINES_MAX}"
        for number, line in enumerate(lines, 1):
            for name in re.findall(r"`([\w./-]+\.(?:c|h|md|py|sh))`", line):
                if not any(("/" + known).endswith("/" + name.lstrip("./")) for known in tree.texts):
                    yield path, number, f"{name} does not exist"


def check_cases(tree):
    """Every case that Kafka Streams judged has a test, and the table of them says where: under a comment with its number."""
    table = "tests/unit/operators/README.md"
    if table not in tree.texts:
        return
    seen = set()
    for number, line in enumerate(tree.texts[table].split("\n"), 1):
        row = re.match(r"\| case (\d+) \|[^|]*\| `(\S+)`: (\w+) \|$", line)
        if not row:
            continue
        case, path, test = int(row[1]), os.path.normpath(os.path.join(os.path.dirname(table), row[2])), row[3]
        seen.add(case)
        code = tree.texts.get(path) or ""
        if not re.search(r"/\*\s+(?:\* )?Case %d\b(?:(?!\*/).)*\*/\nstatic void %s\(" % (case, test), code, re.S):
            yield table, number, f"{path} has no test {test} under a comment \"Case {case}\""
        if len(re.findall(r"\b%s\b" % test, code)) < 2:
            yield table, number, f"{path} does not run {test}"
    for case in sorted(set(range(1, CASES + 1)) - seen):
        yield table, 1, f"case {case} is missing"


CHECKS = {name[len("check_"):]: check for name, check in list(globals().items()) if name.startswith("check_")}


def violations(tree, names):
    for name in names:
        for path, line, text in CHECKS[name](tree):
            yield f"{path}:{line}: {text} [{name}]"


def main(arguments):
    if not arguments or any(name not in CHECKS for name in arguments[1:]):
        print(f"usage: tidy.py ROOT [{'|'.join(CHECKS)}]...", file=sys.stderr)
        return 2
    found = list(violations(Tree(os.path.abspath(arguments[0])), arguments[1:] or CHECKS))
    print("\n".join(found))
    print(f"{len(found)} violations" if found else "the house is tidy")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
