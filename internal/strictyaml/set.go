package strictyaml

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Set overrides the value at a dotted path of keys, or adds it, as if it stood
// in the file. The value is YAML. It is called before Decode.
func (d *Document) Set(path, value string) error {
	if d.body == nil {
		return nil // what is wrong with the document has been said
	}
	keys := strings.Split(path, ".")
	text := value
	for _, key := range slices.Backward(keys) {
		text = fmt.Sprintf("{%q: %s}", key, text)
	}
	file, err := parser.ParseBytes([]byte(text), 0)
	if err != nil || len(file.Docs) != 1 {
		return fmt.Errorf("%s=%s: the value is not valid YAML", path, value)
	}
	from, ok := file.Docs[0].Body.(*ast.MappingNode)
	into, isMapping := d.body.(*ast.MappingNode)
	if !ok || !isMapping {
		return fmt.Errorf("%s=%s: the file is not a mapping", path, value)
	}
	merge(into, from)
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
