package probe

import (
	"net"
	"regexp"
	"time"
)

// GRPC are the settings of a call: unary, or streamed by the server.
type GRPC struct {
	Method      string            `yaml:"method" jsonschema:"required" jsonschema_description:"The method, with its full name: package.Service/Method."`
	Address     string            `yaml:"address,omitempty" jsonschema_description:"HOST:PORT of the server, or :PORT on the host of the entry (default: host and port of the entry)."`
	TLS         *bool             `yaml:"tls,omitempty" jsonschema_description:"Whether the server speaks TLS (default: true if the entry is https)."`
	Message     map[string]any    `yaml:"message,omitempty" jsonschema_description:"The request, in the JSON form of protobuf. Strings in it are templates."`
	Metadata    map[string]string `yaml:"metadata,omitempty" jsonschema_description:"Metadata of the request, as templates."`
	Descriptors string            `yaml:"descriptors,omitempty" jsonschema_description:"A file beside the journey with the types, as protoc --descriptor_set_out --include_imports and buf build write it, of at most 4 MiB (default: the server is asked, by reflection; the types of grpc.health.v1 are known)."`
	Stream      *Stream           `yaml:"stream,omitempty" jsonschema_description:"How much of a server's stream the user receives (default: all of it, to its end)."`

	Content []byte `yaml:"-" json:"content,omitempty"` // of Descriptors
}

// Stream is how much of a stream a user receives.
type Stream struct {
	Messages int           `yaml:"messages,omitempty" jsonschema:"minimum=1" jsonschema_description:"The number of messages. A stream that ends earlier is an error."`
	Hold     time.Duration `yaml:"hold,omitempty" jsonschema_description:"How long the stream is held open after its first message. A stream that ends earlier is an error. The time is not part of the latency."`
	Gap      time.Duration `yaml:"gap,omitempty" jsonschema_description:"The longest silence between two messages; a longer one is an error (default: the journey's timeout)."`
}

var _ interface {
	Request
	holder
	filed
} = (*GRPC)(nil)

// methodName matches a method: its service with the package, and its own name.
var methodName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*/[A-Za-z_][A-Za-z0-9_]*$`)

// metadataName matches a key of metadata.
var metadataName = regexp.MustCompile(`^[0-9a-z_.-]+$`)

// Title implements [Request].
func (g *GRPC) Title() string { return g.Method }

// Example is a step.
func (*GRPC) Example() string {
	return `grpc:
  method: shop.Orders/Create
  address: :50051
  message: {customer: "user-{{.seq}}", items: [{sku: A1, count: 1}]}
expect: {status: OK, json: {$.order.state: ACCEPTED}}
acknowledges: $.order.id
`
}

// Check implements [Request].
func (g *GRPC) Check(problem func(key, format string, args ...any)) {
	if !methodName.MatchString(g.Method) {
		problem("method", "found %q, expected a method such as shop.Orders/Create", g.Method)
	}
	checkHostPort(g.Address, problem)
	for name := range g.Metadata {
		if !metadataName.MatchString(name) {
			problem("metadata."+name, "found the key %q, expected lower-case letters, digits, and _ . -", name)
		}
	}
	if s := g.Stream; s != nil {
		if (s.Messages == 0) == (s.Hold == 0) || s.Messages < 0 {
			problem("stream", "expected one of messages and hold")
		}
		checkHold(s.Hold, s.Gap, func(key, format string, args ...any) { problem("stream."+key, format, args...) })
	}
}

// checkHostPort reports what is wrong with the address of a server.
func checkHostPort(address string, problem func(key, format string, args ...any)) {
	if address == "" {
		return
	}
	if _, port, err := net.SplitHostPort(address); err != nil || port == "" {
		problem("address", "found %q, expected HOST:PORT, or :PORT on the host of the entry", address)
	}
}

// Texts implements [Request].
func (g *GRPC) Texts() map[string]string {
	texts := map[string]string{}
	for name, value := range g.Metadata {
		texts["metadata."+name] = value
	}
	eachText(g.Message, "message", func(key, text string) { texts[key] = text })
	return texts
}

// Holds is how long the stream is held open.
func (g *GRPC) Holds() time.Duration {
	if g.Stream == nil {
		return 0
	}
	return g.Stream.Hold
}

// File is the file of descriptors.
func (g *GRPC) File() (key, path string) { return "descriptors", g.Descriptors }

// SetContent keeps the content of the file of descriptors.
func (g *GRPC) SetContent(data []byte) { g.Content = data }
