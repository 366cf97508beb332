package plainwords_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"sort"
	"strconv"
	"strings"
)

// text is prose that may have several lines.
type text struct {
	words  string // the lines without comment signs, joined by spaces
	starts []int  // the offset of each line in words
	lines  []int  // the number of each line in the file
}

// add adds a line without its comment sign.
func (t *text) add(number int, line string) {
	line = strings.TrimSpace(line)
	for _, sign := range []string{"//", "#", "*", "-"} {
		line = strings.TrimSpace(strings.TrimPrefix(line, sign))
	}
	t.starts, t.lines = append(t.starts, len(t.words)), append(t.lines, number)
	t.words += line + " "
}

// line is the number of the line at an offset in words.
func (t *text) line(offset int) int {
	return t.lines[sort.Search(len(t.starts), func(i int) bool { return t.starts[i] > offset })-1]
}

// plainTexts is a file of prose as one text, so that phrases are found across lines.
func plainTexts(source []byte) []text {
	var whole text
	for i, line := range strings.Split(string(source), "\n") {
		whole.add(i+1, line)
	}
	return []text{whole}
}

// goTexts is the comments, strings and struct tags of a Go file.
func goTexts(name string, source []byte) ([]text, error) {
	positions := token.NewFileSet()
	file, err := parser.ParseFile(positions, name, source, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	var all []text
	collect := func(at token.Pos, content string) {
		var t text
		for i, line := range strings.Split(content, "\n") {
			t.add(positions.Position(at).Line+i, line)
		}
		all = append(all, t)
	}
	for _, group := range file.Comments {
		var t text
		for _, c := range group.List {
			t.add(positions.Position(c.Pos()).Line, c.Text)
		}
		all = append(all, t)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			content, err := strconv.Unquote(literal.Value)
			if strings.HasPrefix(literal.Value, `"`) {
				content = strings.ReplaceAll(content, "\n", " ") // one line in the file
			}
			if err == nil {
				collect(literal.Pos(), content)
			}
		}
		return true
	})
	return all, nil
}
