package journeyfrom

import (
	"encoding/json"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pb33f/go-yaml"
	"github.com/pb33f/libopenapi/datamodel/high/base"
	"github.com/pb33f/libopenapi/orderedmap"
)

// example is the first example that there is.
func example(one *yaml.Node, several *orderedmap.Map[string, *base.Example]) (any, bool) {
	if one != nil {
		return ofNode(one), true
	}
	for _, e := range several.FromOldest() {
		if e != nil && e.Value != nil {
			return ofNode(e.Value), true
		}
	}
	return nil, false
}

// ofNode is a value of a document.
func ofNode(n *yaml.Node) any {
	left := maxScalars
	return nodeValue(n, 0, &left)
}

var jsonForm = regexp.MustCompile(`^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$`)

func nodeValue(n *yaml.Node, depth int, left *int) any {
	if *left--; n == nil || depth > maxDepth || *left < 0 {
		return nil
	}
	switch n.Kind {
	case yaml.AliasNode:
		return nodeValue(n.Alias, depth+1, left)
	case yaml.SequenceNode:
		all := make([]any, 0, len(n.Content))
		for _, item := range n.Content {
			all = append(all, nodeValue(item, depth+1, left))
		}
		return all
	case yaml.MappingNode:
		all := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			all[n.Content[i].Value] = nodeValue(n.Content[i+1], depth+1, left)
		}
		return all
	case yaml.ScalarNode:
		switch tag := n.ShortTag(); {
		case tag == "!!null":
			return nil
		case tag == "!!bool":
			return strings.EqualFold(n.Value, "true")
		case (tag == "!!int" || tag == "!!float") && jsonForm.MatchString(n.Value):
			return json.Number(n.Value)
		}
		return literal(n.Value)
	case yaml.DocumentNode, yaml.StreamNode: // no value
	}
	return nil
}

// maxDepth is how deep values of a schema are made.
const maxDepth = 12

// made is a value that a schema describes. given is whether the document has it.
func (o *openapi) made(proxy *base.SchemaProxy, name string, depth int) (v any, given bool) {
	if o.budget--; o.budget < 0 || proxy == nil || depth > maxDepth {
		return nil, false
	}
	if ref := proxy.GetReference(); ref != "" {
		if slices.Contains(o.open, ref) {
			return nil, false // a schema within itself
		}
		o.open = append(o.open, ref)
		defer func() { o.open = o.open[:len(o.open)-1] }()
	}
	s := proxy.Schema()
	if s == nil {
		return literal("text"), false
	}
	switch {
	case s.Example != nil:
		return ofNode(s.Example), true
	case len(s.Examples) > 0:
		return ofNode(s.Examples[0]), true
	case s.Const != nil:
		return ofNode(s.Const), true
	case s.Default != nil:
		return ofNode(s.Default), true
	case len(s.Enum) > 0:
		return ofNode(s.Enum[0]), true
	case len(s.OneOf) > 0:
		return o.made(s.OneOf[0], name, depth+1)
	case len(s.AnyOf) > 0:
		return o.made(s.AnyOf[0], name, depth+1)
	case len(s.AllOf) > 0 || s.Properties != nil || slices.Contains(s.Type, "object"):
		return o.object(s, depth), false
	case slices.Contains(s.Type, "array"):
		if s.Items == nil || s.Items.N != 0 || s.Items.A == nil {
			return []any{}, false
		}
		item, given := o.made(s.Items.A, singular(name), depth+1)
		if item == nil {
			return []any{}, given
		}
		return []any{item}, given
	}
	return scalar(s, name), false
}

// object has the required properties, or all if none is required.
func (o *openapi) object(s *base.Schema, depth int) any {
	all := map[string]any{}
	for _, part := range s.AllOf {
		if v, _ := o.made(part, "", depth+1); v != nil {
			if m, ok := v.(map[string]any); ok {
				maps.Copy(all, m)
			}
		}
	}
	for name, property := range s.Properties.FromOldest() {
		if len(s.Required) > 0 && !slices.Contains(s.Required, name) {
			continue
		}
		if inner := property.Schema(); inner != nil && inner.ReadOnly != nil && *inner.ReadOnly {
			continue
		}
		v, given := o.made(property, name, depth+1)
		if v != nil || given {
			all[name] = v
		}
	}
	return all
}

// scalar is a value of a simple type.
func scalar(s *base.Schema, name string) any {
	switch {
	case slices.Contains(s.Type, "integer") || slices.Contains(s.Type, "number"):
		least := 1.0
		if s.Minimum != nil {
			least = math.Ceil(*s.Minimum)
			if s.ExclusiveMinimum != nil && s.ExclusiveMinimum.N == 0 && s.ExclusiveMinimum.A {
				least++
			}
		}
		if s.ExclusiveMinimum != nil && s.ExclusiveMinimum.N == 1 {
			least = math.Floor(s.ExclusiveMinimum.B) + 1
		}
		if s.Maximum != nil && *s.Maximum < least {
			least = *s.Maximum
		}
		return json.Number(strconv.FormatFloat(least, 'f', -1, 64))
	case slices.Contains(s.Type, "boolean"):
		return true
	case slices.Contains(s.Type, "null"):
		return nil
	}
	return word(s, name)
}

// word is a text of a format and a length.
func word(s *base.Schema, name string) text {
	switch s.Format {
	case "uuid":
		return action("uuid")
	case "date-time":
		return action("now")
	case "date":
		return action(`now "2006-01-02"`)
	case "email":
		return text{{literal: "user-"}, {action: ".seq"}, {literal: "@example.com"}}
	case "uri", "url":
		return literal("https://example.com/")
	case "ipv4":
		return literal("192.0.2.1")
	}
	made := "text"
	if isName(name) {
		made = "a-secret-" + name
	}
	if s.MinLength != nil {
		for int64(len(made)) < min(*s.MinLength, 1000) {
			made += "x"
		}
	}
	if s.MaxLength != nil && *s.MaxLength >= 0 && int64(len(made)) > *s.MaxLength && !isName(name) {
		made = made[:*s.MaxLength]
	}
	return literal(made)
}
