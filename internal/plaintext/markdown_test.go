package plaintext_test

import (
	"bytes"
	"html"
	"regexp"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"

	"github.com/gameday-dev/gameday/internal/plaintext"
)

// places are where a text of others stands in our Markdown: %s, and the page of it.
var places = map[string]string{
	"%s\n":                               "<p>%s</p>\n",
	"# PROVEN: %s\n":                     "<h1>PROVEN: %s</h1>\n",
	"a **%s** b\n":                       "<p>a <strong>%s</strong> b</p>\n",
	"| a | b |\n|---|---|\n| x | %s |\n": "<table>\n<thead>\n<tr>\n<th>a</th>\n<th>b</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>x</td>\n<td>%s</td>\n</tr>\n</tbody>\n</table>\n",
	"| a | b |\n|---|---|\n| %s | x |\n": "<table>\n<thead>\n<tr>\n<th>a</th>\n<th>b</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>%s</td>\n<td>x</td>\n</tr>\n</tbody>\n</table>\n",
}

// linked is what GitHub looks for in a page when Markdown was read: mentions, references,
// addresses, emoji.
var linked = regexp.MustCompile(`@[A-Za-z0-9]|#[0-9]|\bGH-[0-9]|://|(?i:www\.)|:[0-9]*[a-z][a-z0-9_+-]*:|:[+-]1:`)

// shows reads Markdown as a forge does, and reports what is not the text alone.
func shows(t *testing.T, text string) {
	t.Helper()
	parser := goldmark.New(goldmark.WithExtensions(extension.GFM, extension.Footnote, extension.DefinitionList))
	escaped := plaintext.Markdown(text)
	want := plaintext.Line(strings.Join(strings.Fields(text), " "))
	for source, page := range places {
		if want == "" || strings.Contains(source, "**") && !plainEnds.MatchString(want) {
			continue // what stands beside asterisks decides whether they are emphasis
		}
		source = strings.Replace(source, "%s", escaped, 1)
		var got bytes.Buffer
		if err := parser.Convert([]byte(source), &got); err != nil {
			t.Fatal(err)
		}
		before, after, _ := strings.Cut(page, "%s")
		shown, ok := strings.CutPrefix(got.String(), before)
		shown, okAfter := strings.CutSuffix(shown, after)
		if !ok || !okAfter || strings.Contains(shown, "<") {
			t.Fatalf("%q: %q becomes\n%s", text, source, got.String())
		}
		shown = html.UnescapeString(shown)
		if linked.MatchString(shown) {
			t.Fatalf("%q: %q shows %q, in which a link is found: %q", text, source, shown, linked.FindString(shown))
		}
		if shown = strings.ReplaceAll(shown, "\u200b", ""); shown != want {
			t.Fatalf("%q: %q shows %q, expected %q", text, source, shown, want)
		}
	}
}

var plainEnds = regexp.MustCompile(`^[A-Za-z0-9](?:.*[A-Za-z0-9])?$`)

// hostile are texts that would be more than texts.
var hostile = []string{
	"[c](http://evil.example)", "![i](http://evil.example/t.png)", "[a]: http://x", "[a][b]", "[^1]", "- [ ] x", "@org/team and @alice", "a@b.example", "#1, GH-1, gh-22, org/repo#3",
	"https://evil.example/x", "www.evil.example", "ftp://x", "mailto:a@b.example", "<https://evil.example>", "<b>x</b>", "<!-- /gameday RUN -->", "<script>", "`code`", "``a`b``", "*a*", "**a**", "_a_", "__a__", "~~a~~", "~a~",
	"a | b", `a \| b`, `\\| b`, `\`, `a\`, `\*a\*`, "a\n# b", "a\r\n\r\n# b", "a\rb", "# a", "a #", "a ##", "- a", "+ a", "* a", "1. a", "12) a", "---", "- - -", "===", "> a", ">a", "    a", "\ta", "```\na\n```", "~~~",
	"&amp; &lt;b&gt; &#64;org &commat;org", "$a$", "$$a$$", ":tada: :a:b:c: :+1: :8ball:", "a  \nb", "|---|---|", ":--", "{: .x}", "a <a@b.c> b", "term\n: x", "Setext\n---",
	"certificate is valid for \x1b[2J, @org/team, not localhost", "http://a`b", "a\u202eb", "\xff@x", "x@\u200by", "wWw.a.b", "a:b:c", "::", "12:30:45", "#\u00a01", "GH-\u20601",
}

// Text of others is nothing but text in Markdown, and reads the same (M9).
func TestTextsInMarkdown(t *testing.T) {
	t.Parallel()
	for _, text := range hostile {
		shows(t, text)
	}
	for text, want := range map[string]string{
		"status 503, expected 200 (1.38s)": "status 503, expected 200 (1.38s)",
		"gameday-shop_db_1":                `gameday-shop\_db\_1`,
		"@org/team":                        "@&#8203;org/team",
		"-1.5s":                            `\-1.5s`,
		"1.5s":                             "1.5s",
	} {
		if got := plaintext.Markdown(text); got != want {
			t.Errorf("%q is written as %q, expected %q", text, got, want)
		}
	}
}

func FuzzMarkdown(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	f.Fuzz(shows)
}

// A command within a code span can be copied as it is, and ends neither the span nor the
// section of a report.
func TestCodeInMarkdown(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"gameday run db-loss --set a='b|c'": "<code>gameday run db-loss --set a='b|c'</code>",
		"a`b``c":                            "<code>a`b``c</code>",
		"`a`":                               "<code>`a`</code>",
		"a\n\nb\x1b":                        `<code>a b\x1b</code>`,
		"x <!-- /gameday RUN --> @a":        `<code>x &lt;\!-- /gameday RUN --&gt; @a</code>`,
	} {
		code := plaintext.Code(text)
		var got bytes.Buffer
		if err := goldmark.New(goldmark.WithExtensions(extension.GFM)).Convert([]byte("To repeat: "+code+"\n"), &got); err != nil {
			t.Fatal(err)
		}
		if page := html.UnescapeString(got.String()); page != "<p>To repeat: "+html.UnescapeString(want)+"</p>\n" || strings.Contains(code, "<!--") {
			t.Errorf("%q is written as %s, which is %s", text, code, got.String())
		}
	}
}
