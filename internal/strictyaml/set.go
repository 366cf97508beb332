package strictyaml

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Set overrides the value at a dotted path of keys, or adds it, as if it stood
// in the file: objective.rto, or load[0].rate of an item of a list that is there.
// The value is YAML. It is called before Decode.
func (d *Document) Set(path, value string) error {
	if d.body == nil {
		return nil // what is wrong with the document has been said
	}
	body, keys, err := intoItems(d.body, strings.Split(path, "."))
	if err != nil {
		return fmt.Errorf("%s=%s: %w", path, value, err)
	}
	text := value
	for _, key := range slices.Backward(keys) {
		text = fmt.Sprintf("{%q: %s}", key, text)
	}
	file, err := parser.ParseBytes([]byte(text), 0)
	if err != nil || len(file.Docs) != 1 {
		return fmt.Errorf("%s=%s: the value is not valid YAML", path, value)
	}
	from, ok := file.Docs[0].Body.(*ast.MappingNode)
	into, isMapping := body.(*ast.MappingNode)
	if !ok || !isMapping {
		return fmt.Errorf("%s=%s: the file is not a mapping", path, value)
	}
	merge(into, from)
	return nil
}

// indexed is a key with the place in its list.
var indexed = regexp.MustCompile(`^(.+)\[(\d+)\]$`)

// intoItems follows a path as far as the last item of a list in it, and returns that
// item with the keys that are left.
func intoItems(body ast.Node, keys []string) (ast.Node, []string, error) {
	last := -1
	for i, key := range keys {
		if indexed.MatchString(key) {
			last = i
		}
	}
	if last >= 0 && last == len(keys)-1 {
		return nil, nil, errors.New("expected a key of the item, as in load[0].rate")
	}
	for _, key := range keys[:last+1] {
		place := -1
		if m := indexed.FindStringSubmatch(key); m != nil {
			key = m[1]
			place, _ = strconv.Atoi(m[2]) // digits; one too many is out of range below
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

// merge puts the one nested value of from into the mapping.
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
