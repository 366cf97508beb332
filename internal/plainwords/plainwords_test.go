// Package plainwords_test checks that texts for people use plain words. It knows only a
// short list of phrases: those that readers had to decode, and that have few false
// positives. CONTRIBUTING.md describes the style.
package plainwords_test

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// rule is a phrase to avoid, with the advice what to write instead.
type rule struct{ phrase, advice string }

// rules are the phrases. They match without regard to case and line breaks.
func rules() []rule {
	return []rule{
		{`where (it|they|there|this|that) (is|are|was|were|has|have|had|does|do|did|can|cannot|could|may)`, `use "if"; for a default write (default: …)`},
		{`where (nothing|none|no one|nobody)`, `use "if"`},
		{`so many`, `write N, or name the number: "the maximum number of …"`},
		{`so long`, `name the duration: "how long …", "30s"`},
		{`(no|some|every)body`, `name the state or the thing: "no component has …", "a person", "a client"`},
		{`who(so)?ever`, `name the person or the process: "the client", "the instance that …"`},
		{`well again`, `use "recovered" or "healthy"`},
		{`(have|has) said`, `use "logged" or "reported"`},
		{`puts? (it|them|that|things) right|put right`, `use "revert" (one fault), "undo" (a journal) or "restore"`},
		{`lets? go( of)?`, `use "release", "close" or "disconnect"`},
		{`(the|its|of|after) undoing`, `use "the revert" (one fault) or "undo" (a journal)`},
		{`sets? out`, `use "arrive"`},
		{`badly served|served badly|well served|served well`, `use "failed or slow" and "good"`},
		{`(is|are|was|were|be) told`, `use "receives", "is notified" or "is reported"`},
		{`tells? (whether|of|when|how)`, `use "reports whether" or "says"`},
		{`anew`, `use "again", "rewrite" or "regenerate"`},
		{`all the same`, `use "anyway" or "still"`},
		{`held? (it |them )?against`, `use "compared with"`},
		{`a second time`, `use "duplicate" or "twice"`},
		{`made up for`, `use "caught up" or "run later"`},
	}
}

// allowed are exceptions, by file and a part of the text, with their reason.
func allowed() map[[2]string]string {
	return map[[2]string]string{
		{"internal/enginetest/enginetest.go", "postgres://nobody@"}: "a user name that PostgreSQL does not know",
		{"pkg/store/tokens.go", "somebody on this machine"}:         "a name in audit logs of an older gameday",
	}
}

// finding is a phrase that a file should not contain.
type finding struct {
	file   string
	line   int
	text   string // the phrase with the words around it
	advice string
}

func (f finding) String() string {
	return fmt.Sprintf("%s:%d: %q: %s", f.file, f.line, f.text, f.advice)
}

const root = "../.."

// files are the files with texts for people, relative to the root of the repository. Test
// files are not among them.
func files(t *testing.T) []string {
	t.Helper()
	skipped := []string{".git", ".ci", "gameday-runs", "dist", "plainwords"} // this folder contains all the phrases
	var all []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains(skipped, d.Name()):
			return fs.SkipDir
		case !d.IsDir() && strings.HasSuffix(path, "_test.go"):
			return nil
		case !d.IsDir() && slices.Contains([]string{".go", ".md", ".yaml", ".yml", ".html"}, filepath.Ext(path)):
			relative, err := filepath.Rel(root, path)
			all = append(all, filepath.ToSlash(relative))
			return err
		}
		return nil
	})
	if err != nil || len(all) < 200 {
		t.Fatalf("found %d files: %v", len(all), err)
	}
	return all
}

// check finds the phrases of all rules in a file.
func check(t *testing.T, rules []rule, name string, source []byte) []finding {
	t.Helper()
	texts := plainTexts(source)
	if filepath.Ext(name) == ".go" {
		var err error
		if texts, err = goTexts(name, source); err != nil {
			t.Fatal(err)
		}
	}
	var found []finding
	for _, r := range rules {
		phrase := regexp.MustCompile(`(?i)\b(` + strings.ReplaceAll(r.phrase, " ", `\s+`) + `)\b`)
		for _, text := range texts {
			for _, at := range phrase.FindAllStringIndex(text.words, -1) {
				around := text.words[max(at[0]-30, 0):min(at[1]+30, len(text.words))]
				found = append(found, finding{name, text.line(at[0]), strings.ToValidUTF8(around, ""), r.advice})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b finding) int { return cmp.Compare(a.line, b.line) })
	return found
}

func TestTextsUsePlainWords(t *testing.T) {
	t.Parallel()
	exceptions, unused := allowed(), allowed()
	for _, name := range files(t) {
		source, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range check(t, rules(), name, source) {
			isException := false
			for exception := range exceptions {
				if f.file == exception[0] && strings.Contains(f.text, exception[1]) {
					isException = true
					delete(unused, exception)
				}
			}
			if !isException {
				t.Error(f)
			}
		}
	}
	for exception := range unused {
		t.Errorf("no text needs the exception %q: remove it", exception)
	}
}

// A phrase is found in comments, strings, struct tags and prose, across line breaks, with
// its line; code is not prose.
func TestPhrasesAreFound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file, source string
		lines        []int
	}{
		"a comment":         {"x.go", "package x\n\n// A is for\n// nobody.\nvar A int\n", []int{4}},
		"across lines":      {"x.go", "package x\n\n// A is so\n// many.\nvar A int\n", []int{3}},
		"a string":          {"x.go", "package x\n\nvar a = \"where it is not set\"\n", []int{3}},
		"a raw string":      {"x.go", "package x\n\nvar a = `\n\nnobody`\n", []int{5}},
		"a struct tag":      {"x.go", "package x\n\ntype T struct {\n\tA int `doc:\"for so long\"`\n}\n", []int{4}},
		"a name":            {"x.go", "package x\n\nvar nobody int\n", nil},
		"part of a word":    {"x.go", "package x\n\n// A is also long.\nvar A int\n", nil},
		"prose":             {"x.md", "# Title\n\nIt lasts so\nlong. Nobody knows.\n", []int{3, 4}},
		"a YAML comment":    {"x.yaml", "a: 1\n# for as\n# so\n# many\n", []int{3}},
		"HTML":              {"x.html", "<p>nobody</p>\n", []int{1}},
		"nothing to report": {"x.md", "The default is 30s.\n", nil},
	} {
		var lines []int
		for _, f := range check(t, rules(), c.file, []byte(c.source)) {
			lines = append(lines, f.line)
		}
		if !slices.Equal(lines, c.lines) {
			t.Errorf("%s: found in lines %v, expected %v", name, lines, c.lines)
		}
	}
}
