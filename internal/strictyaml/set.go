package strictyaml

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
)

// Set overrides or adds the value at a dotted path, such as objective.rto, or
// load[0].rate for an existing item of a list. The value is YAML. Call Set before Decode.
func (d *Document) Set(path, value string) error {
	if d.body == nil {
		return nil // Parse has reported the problem
	}
	body, keys, err := intoItems(d.body, strings.Split(path, "."))
	if err != nil {
		return fmt.Errorf("%s=%.100s: %w", path, value, err)
	}
	text := value
	for _, key := range slices.Backward(keys) {
		text = fmt.Sprintf("{%q: %s}", key, text)
	}
	tokens := lexer.Tokenize(text)
	if _, problem := tooMuch(tokens); problem != "" || len(text) > MaxSize {
		return fmt.Errorf("%s=%.100s: the value is too large", path, value)
	}
	file, err := parser.Parse(tokens, 0)
	if err != nil || len(file.Docs) != 1 {
		return fmt.Errorf("%s=%.100s: the value is not valid YAML", path, value)
	}
	from, ok := file.Docs[0].Body.(*ast.MappingNode)
	into, isMapping := body.(*ast.MappingNode)
	if !ok || !isMapping {
		return fmt.Errorf("%s=%.100s: the file is not a mapping", path, value)
	}
	merge(into, from)
	return nil
}

// indexed is a key with an index.
var indexed = regexp.MustCompile(`^(.+)\[(\d+)\]$`)

// intoItems follows a path up to its last index, and returns that item and the remaining
// keys.
func intoItems(body ast.Node, keys []string) (ast.Node, []string, error) {
	last := -1
	for i, key := range keys {
		if indexed.MatchString(key) {
			last = i
		}
	}
	if last >= 0 && last == len(keys)-1 {
		return nil, nil, errors.New("expected a key of the item, such as load[0].rate")
	}
	for _, key := range keys[:last+1] {
		place := -1
		if m := indexed.FindStringSubmatch(key); m != nil {
			key = m[1]
			place, _ = strconv.Atoi(m[2]) // digits only; a number that is too large is out of range below
		}
		if body = valueOf(body, key); body == nil {
			return nil, nil, fmt.Errorf("the file has no %s", key)
		}
		if place < 0 {
			continue
		}
		list, ok := body.(*ast.SequenceNode)
		if !ok || place >= len(list.Values) {
			return nil, nil, fmt.Errorf("%s has no item %d", key, place)
		}
		body = list.Values[place]
	}
	return body, keys[last+1:], nil
}

func valueOf(body ast.Node, key string) ast.Node {
	if mapping, ok := body.(*ast.MappingNode); ok {
		for _, v := range mapping.Values {
			if v.Key.GetToken().Value == key {
				return v.Value
			}
		}
	}
	return nil
}

// merge merges the nested value of from into a mapping.
func merge(into, from *ast.MappingNode) {
	for _, v := range from.Values {
		key := v.Key.GetToken().Value
		at := -1
		for i, existing := range into.Values {
			if existing.Key.GetToken().Value == key {
				at = i
			}
		}
		if at < 0 {
			into.Values = append(into.Values, v)
			continue
		}
		inner, ok := into.Values[at].Value.(*ast.MappingNode)
		deeper, deep := v.Value.(*ast.MappingNode)
		if ok && deep {
			merge(inner, deeper)
			continue
		}
		into.Values[at].Value = v.Value
	}
}
