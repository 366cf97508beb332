package plaintext_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/gameday-dev/gameday/internal/plaintext"
)

func TestOneLine(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "", "plain text": "plain text", " a\n\tb\r\n": "a b", "\x1b[2Jpwn\x07": `\x1b[2Jpwn\a`, "a\u202eb\u009bc": `a\u202eb\u009bc`, "\xffx": "\uFFFDx", "nul\x00": `nul\x00`,
		strings.Repeat("é", 50):       strings.Repeat("é", 18) + "…",
		strings.Repeat("ab ", 50):     strings.Repeat("ab ", 12) + "a…",
		strings.Repeat("x", 40):       strings.Repeat("x", 40),
		strings.Repeat("x", 41):       strings.Repeat("x", 37) + "…",
		strings.Repeat("\x1b", 1<<20): strings.Repeat(`\x1b`, 9) + "…",
	} {
		if got := plaintext.OneLine(text, 40); got != want {
			t.Errorf("%.60q becomes %q, expected %q", text, got, want)
		}
	}
}

// Whatever the text, its line is short, whole, printable, and the same again.
func TestOneLineOfAnything(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")) + rapid.String().Draw(t, "text")
		most := rapid.IntRange(10, 100).Draw(t, "most")
		line := plaintext.OneLine(text, most)
		if len(line) > most || !utf8.ValidString(line) || strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Fatalf("%q becomes %q of %d bytes", text, line, len(line))
		}
		if again := plaintext.OneLine(line, most); again != line {
			t.Fatalf("%q becomes %q, and then %q", text, line, again)
		}
		if cut := plaintext.Cut(text, most); len(cut) > most || !strings.HasPrefix(text, cut) || utf8.ValidString(text) && !utf8.ValidString(cut) {
			t.Fatalf("%q is cut to %q", text, cut)
		}
	})
}
