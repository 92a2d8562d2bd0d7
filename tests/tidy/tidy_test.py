#!/usr/bin/env python3
"""Plants a violation of each rule of tidy.py in a small tidy house and expects exactly that to be found."""
import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tidy  # noqa: E402

BYTES_H = "#ifndef MILLSTREAM_BYTES_H\n#define MILLSTREAM_BYTES_H\n#include <stddef.h>\nsize_t mill_count(void);\n#endif\n"

HOUSE = {
    "CMakeLists.txt": "room(base runtime/base)\nroom(io runtime/io mill_base PkgConfig::LIBUV)\nroom(log runtime/log mill_record mill_io)\n",
    ".clang-format": "BasedOnStyle: LLVM\nIndentWidth: 4\nBreakBeforeBraces: Linux\nSortIncludes: false\nAllowShortFunctionsOnASingleLine: None\n",
    "runtime/include/millstream/bytes.h": BYTES_H,
    "runtime/base/alloc.h": "#ifndef BASE_ALLOC_H\n#define BASE_ALLOC_H\nvoid *mem_alloc(int size);\n#endif\n",
    "runtime/base/alloc.c": '#include "base/alloc.h"\n\n#include <stdlib.h>\n\nvoid *mem_alloc(int size)\n{\n    return malloc(size);\n}\n',
    "runtime/base/README.md": "# base\n\nRead `alloc.h` first.\n",
    "runtime/io/io.h": "#ifndef IO_IO_H\n#define IO_IO_H\nint io_now(void);\n#endif\n",
    "runtime/io/uv_loop.c": '#include "io/io.h"\n\n#include <time.h>\n#include <uv.h>\n\nint io_now(void)\n{\n    return time(0);\n}\n',
    "runtime/io/README.md": "# io\n",
    "runtime/log/log.c": '#include "base/alloc.h"\n#include "io/io.h"\n#include "millstream/bytes.h"\n',
    "runtime/log/README.md": "# log\n",
    "tests/unit/runtime/log/log_test.c": '#include "log/log.h"\n#include "io/io.h"\n',
    "runtime/log/log.h": "#ifndef LOG_LOG_H\n#define LOG_LOG_H\n#endif\n",
}


def function_of(lines):
    return "int log_long(void)\n{\n" + "    io_now();\n" * (lines - 1) + "    return 0;\n}\n"


class TidyTest(unittest.TestCase):
    def found(self, changes, names=None):
        with tempfile.TemporaryDirectory() as root:
            for path, text in {**HOUSE, **changes}.items():
                if text is None:
                    continue
                os.makedirs(os.path.dirname(os.path.join(root, path)) or root, exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                    file.write(text)
            return list(tidy.violations(tidy.Tree(root), names or tidy.CHECKS))

    def assert_planted(self, check, changes, *texts):
        """The check finds as many violations as there are texts, each with its text."""
        found = self.found(changes, [check])
        self.assertEqual(len(found), len(texts), found)
        for violation, text in zip(found, texts):
            self.assertIn(text, violation)

    def test_the_house_itself_is_tidy(self):
        self.assertEqual(self.found({}), [])

    def test_a_room_that_includes_upward_is_found(self):
        self.assert_planted("include_direction", {"runtime/io/io.h": HOUSE["runtime/io/io.h"] + '#include "log/log.h"\n'},
                            "runtime/io/io.h:5: io may not include log/log.h")

    def test_an_include_in_a_comment_is_none(self):
        self.assert_planted("include_direction", {"runtime/io/io.h": '/* #include "log/log.h" */\n'})

    def test_a_missing_header_and_a_test_header_are_found(self):
        self.assert_planted("include_direction",
                            {"runtime/log/log.c": '#include "log/gone.h"\n#include "support/x.h"\n', "tests/support/x.h": "\n"},
                            "log/gone.h does not exist", "in no room")

    def test_an_unknown_room_is_found(self):
        self.assert_planted("include_direction", {"runtime/attic/box.c": "\n"}, "attic is not in the table")

    def test_state_may_not_see_operators_nor_runtime_state(self):
        self.assert_planted("include_direction",
                            {"state/include/millstream/stores.h": BYTES_H, "operators/include/millstream/stream.h": BYTES_H,
                             "state/cache.c": '#include "millstream/stream.h"\n#include "millstream/stores.h"\n',
                             "runtime/log/log.c": '#include "millstream/stores.h"\n',
                             "operators/dsl/lower.c": '#include "millstream/stores.h"\n'},
                            "runtime/log/log.c:1: log may not include", "state/cache.c:1: state may not include")

    def test_a_public_header_that_shows_a_room_is_found(self):
        self.assert_planted("include_direction", {"runtime/include/millstream/bytes.h": '#include "base/alloc.h"\n'},
                            "may not include base/alloc.h")

    def test_an_example_that_looks_inside_is_found(self):
        self.assert_planted("include_direction",
                            {"examples/job/main.c": '#include "millstream/bytes.h"\n#include "job.h"\n#include "io/io.h"\n',
                             "examples/job/job.h": "\n"}, "examples/job/main.c:3: an example includes io/io.h")

    def test_an_upward_link_is_found(self):
        self.assert_planted("links", {"CMakeLists.txt": "room(base runtime/base)\nroom(io runtime/io mill_base mill_log)\nroom(x y)\n"},
                            "CMakeLists.txt:2: io may not link log", "room x is not in the table")

    def test_a_library_outside_its_room_is_found(self):
        self.assert_planted("libraries",
                            {"runtime/log/log.c": "#include <uv.h>\n#include <lmdb.h>\n#include <openssl/ssl.h>\n",
                             "state/lmdb_env.c": "#include <lmdb.h>\n", "state/cache.c": "#include <lmdb.h>\n"},
                            "<uv.h>", "<lmdb.h>", "<openssl/ssl.h>", "state/cache.c:1")

    def test_every_banned_call_is_found(self):
        for names, why, _ in tidy.BANNED:
            for name in names.split("|"):
                self.assert_planted("calls", {"runtime/log/log.c": f"int x(void)\n{{\n    return {name}(1);\n}}\n"},
                                    f"runtime/log/log.c:3: {name}(): {why}")

    def test_members_pointers_comments_and_texts_are_no_calls(self):
        self.assert_planted("calls", {"runtime/log/log.c": 'x->open(1);\ny.time(2); /* malloc(3) */ z("free(4)");\nmem_free(5);\n'
                                                           "int a(int (*random)(int)) { return random(1); }\n"})

    def test_a_header_that_nobody_includes_is_found(self):
        self.assert_planted("unused_headers", {"runtime/log/segment.h": "#ifndef X\n#define X\n#endif\n"},
                            "runtime/log/segment.h:1: nobody includes")

    def test_a_script_that_nobody_names_is_found(self):
        self.assert_planted("unused_scripts", {"tests/a.sh": "exit 0\n", "tests/b.py": "pass\n", "tests/README.md": "`a.sh`\n",
                             "tests/c_1.sh": "exit 0\n", "tests/CMakeLists.txt": "file(GLOB scripts c_*.sh)\n"},
                            "tests/b.py:1: no other file names")

    def test_public_headers_that_do_not_compile_alone_are_found(self):
        self.assert_planted("public_headers", {"runtime/include/millstream/bytes.h": "size_t mill_count(void);\n"},
                            "as c11", "as c17", "as c++17")
        self.assert_planted("public_headers", {"runtime/include/millstream/bytes.h": "int mill_new(int class);\n"}, "as c++17")

    def test_untidy_lines_are_found(self):
        self.assert_planted("layout", {"runtime/log/log.h": "int a; \n\tint b;\n/* " + "x" * 140 + " */\n\n"},
                            "blanks", "a tab", "146 columns", "one newline")
        self.assert_planted("layout", {"runtime/log/log.h": "int a;"}, "one newline")

    @unittest.skipUnless(tidy.shutil.which("clang-format"), "clang-format is not installed")
    def test_unformatted_code_is_found(self):
        self.assert_planted("format", {"runtime/log/log.c": "int  a ;\nint  b ;\n"}, "runtime/log/log.c:1: is not formatted")

    def test_a_function_that_grows_too_long_is_found(self):
        self.assert_planted("function_length", {"runtime/log/log.c": function_of(tidy.FUNCTION_LINES_MAX)})
        self.assert_planted("function_length", {"runtime/log/log.c": function_of(tidy.FUNCTION_LINES_MAX + 1)}, "log_long has 81 lines")

    def test_a_listed_function_may_only_shrink(self):
        tidy.LONG_FUNCTIONS["runtime/log/log.c:log_long"] = 90
        self.assert_planted("function_length", {"runtime/log/log.c": function_of(90)})
        self.assert_planted("function_length", {"runtime/log/log.c": function_of(91)}, "91 lines, 90 are allowed")
        del tidy.LONG_FUNCTIONS["runtime/log/log.c:log_long"]

    def test_unfinished_work_is_found(self):
        for word in ("TO" + "DO", "FIX" + "ME", "for " + "now"):
            self.assert_planted("unfinished", {"runtime/log/log.c": f"/* {word}: more */\n"}, word)

    def test_missing_long_and_wrong_readmes_are_found(self):
        self.assert_planted("readmes", {"runtime/log/README.md": None}, "runtime/log:1: has no README.md")
        self.assert_planted("readmes", {"runtime/log/README.md": "# log\n" * 90}, "one screen is 80")
        self.assert_planted("readmes", {"runtime/log/README.md": "Read `log/log.c`, then `gone.c`.\n"}, "gone.c does not exist")

    def test_cases_without_a_test_are_found(self):
        table = "".join(f"| case {n} | w | `a_test.c`: t |\n" for n in range(1, tidy.CASES))
        code = "".join(f"/* Case {n}. */\nstatic void t(void **state)\n{{\n}}\n" for n in range(1, tidy.CASES))
        path = "tests/unit/operators/a_test.c"
        self.assert_planted("cases", {"tests/unit/operators/README.md": table, path: code}, "case 40 is missing")
        self.assert_planted("cases", {"tests/unit/operators/README.md": table + "| case 40 | w | `a_test.c`: u |\n",
                                      path: code + "static void u(void **state)\n{\n}\n"},
                            'no test u under a comment "Case 40"', "does not run u")


if __name__ == "__main__":
    unittest.main()
