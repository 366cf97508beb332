package strictyaml

import (
	"fmt"

	"github.com/goccy/go-yaml/token"
)

// The bounds of a document. No file that a person writes is near them. Beyond them the
// parser takes gigabytes of memory, and minutes, for a few hundred kilobytes.
const (
	MaxSize = 1 << 20 // bytes

	maxTokens = 200_000
	maxKeys   = 10_000 // of mappings in block style: the time grows with their square
	maxDocs   = 100    // likewise; more than one is an error that the parser's document tells
	maxDepth  = 1_000  // of lists and mappings in flow style, or of lists in one line
)

// tooMuch says what exceeds a bound, if anything does, and where.
func tooMuch(tokens token.Tokens) (Position, string) {
	keys, docs, flow, dashes, line := 0, 0, 0, 0, 0
	for i, t := range tokens {
		if at := positionOf(t).Line; at != line {
			line, dashes = at, 0
		}
		switch t.Type { //nolint:exhaustive // the others nest nothing
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow = max(flow-1, 0)
		case token.DocumentHeaderType:
			docs++
		case token.SequenceEntryType, token.MappingKeyType:
			dashes++
		case token.MappingValueType:
			if flow == 0 {
				keys++
			}
		}
		switch {
		case i >= maxTokens:
			return positionOf(t), fmt.Sprintf("found more than %d words and signs: expected a smaller file", maxTokens)
		case keys > maxKeys:
			return positionOf(t), fmt.Sprintf("found more than %d keys: expected a smaller file", maxKeys)
		case docs > maxDocs:
			return positionOf(t), fmt.Sprintf("found more than %d documents, expected one document per file", maxDocs)
		case flow+dashes > maxDepth:
			return positionOf(t), fmt.Sprintf("found lists or mappings that are more than %d deep", maxDepth)
		}
	}
	return Position{}, ""
}
