package plaintext_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/gameday-dev/gameday/internal/plaintext"
)

// Nothing that acts on a terminal, or that hides, is shown as it is (M8).
func TestTextsForATerminal(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "",
		"certificate for \x1b[2J\x1b]0;pwn\x07, not for x": `certificate for \x1b[2J\x1b]0;pwn\x07, not for x`,
		"a\nb\tc\rd":                 `a\nb\tc\rd`,
		"8-bit \u009b31m":            `8-bit \u009b31m`,
		"invalid \xff\x9b31m, \xc3":  `invalid \xff\x9b31m, \xc3`,
		"delete \x7f and nul \x00":   `delete \x7f and nul \x00`,
		"gnp.exe\u202etxt\u2066a":    `gnp.exe\u202etxt\u2066a`,
		"d\u200bb, d\u00adb, \ufeff": `d\u200bb, d\u00adb, \ufeff`,
		"tag \U000e0041, \u3164":     `tag \U000e0041, \u3164`,
		"line \u2028 break":          `line \u2028 break`,
		"Größe → 3 µs, 数据库, ❤️, a\u00a0b, \ufffd, …": "Größe → 3 µs, 数据库, ❤️, a\u00a0b, \ufffd, …",
	} {
		if got := plaintext.Line(text); got != want {
			t.Errorf("%q is shown as %s, expected %s", text, got, want)
		}
	}
	if got, want := plaintext.Text("a\r\n\tb\x1b\nc\rd"), "a\n\tb\\x1b\nc\\rd"; got != want {
		t.Errorf("%q, expected %q", got, want)
	}
}

// A document says the same, and shows all that it says.
func TestJSON(t *testing.T) {
	t.Parallel()
	const text = "a\u009b31m \u202e \x7f \U000e0041 \x1b ä \n\""
	document, err := json.MarshalIndent(map[string]string{text: text}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	shown := plaintext.JSON(document)
	var again map[string]string
	if err := json.Unmarshal(shown, &again); err != nil || again[text] != text {
		t.Errorf("%s: %q %v", shown, again, err)
	}
	if want := `"a\u009b31m \u202e \u007f \udb40\udc41 \u001b ä \n\""`; !strings.Contains(string(shown), ": "+want) {
		t.Errorf("%s, expected %s", shown, want)
	}
}

// Whatever a text is, it is bounded, and nothing in it acts.
func FuzzLine(f *testing.F) {
	f.Add("a\x1b[31m\u202e\xff")
	f.Add(strings.Repeat("ä", 5000))
	f.Fuzz(func(t *testing.T, text string) {
		line, lines := plaintext.Line(text), plaintext.Text(text)
		for _, shown := range []string{line, strings.NewReplacer("\n", "", "\t", "").Replace(lines)} {
			acts := func(r rune) bool {
				return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
			}
			if !utf8.ValidString(shown) || strings.ContainsFunc(shown, acts) {
				t.Fatalf("%q is shown as %q", text, shown)
			}
		}
		if len(line) > 10*2048+8 || len(lines) > 10*(64<<10)+8 {
			t.Fatalf("%d bytes are shown as %d and %d", len(text), len(line), len(lines))
		}
	})
}
