package steps_test

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/gameday-dev/gameday/pkg/probe"
)

// orders is a service whose answers a test chooses.
type orders struct {
	testpb.UnimplementedTestServiceServer

	unary  func(ctx context.Context, in *testpb.SimpleRequest) (*testpb.SimpleResponse, error)
	stream func(s grpc.ServerStreamingServer[testpb.StreamingOutputCallResponse]) error
}

func (o orders) UnaryCall(ctx context.Context, in *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
	return o.unary(ctx, in)
}

func (o orders) StreamingOutputCall(_ *testpb.StreamingOutputCallRequest, s grpc.ServerStreamingServer[testpb.StreamingOutputCallResponse]) error {
	return o.stream(s)
}

const (
	unary  = "grpc.testing.TestService/UnaryCall"
	stream = "grpc.testing.TestService/StreamingOutputCall"
)

// grpcServer is a server with a service, until the test ends.
func grpcServer(t *testing.T, o orders, options ...grpc.ServerOption) *grpc.Server {
	t.Helper()
	s := grpc.NewServer(options...)
	testpb.RegisterTestServiceServer(s, o)
	t.Cleanup(s.Stop)
	return s
}

// listenAt serves at an address.
func listenAt(t *testing.T, s *grpc.Server, address string) string {
	t.Helper()
	l, err := net.Listen("tcp", address) //nolint:noctx // the server closes it
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.Serve(l) }()
	return l.Addr().String()
}

// descriptors are a file of the service's types.
func descriptors(t *testing.T) []byte {
	t.Helper()
	var set descriptorpb.FileDescriptorSet
	seen := map[string]bool{}
	var add func(f protoreflect.FileDescriptor)
	add = func(f protoreflect.FileDescriptor) {
		if seen[f.Path()] {
			return
		}
		seen[f.Path()] = true
		for i := range f.Imports().Len() {
			add(f.Imports().Get(i).FileDescriptor)
		}
		set.File = append(set.File, protodesc.ToFileDescriptorProto(f))
	}
	add(testpb.File_grpc_testing_test_proto)
	data, err := proto.Marshal(&set)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func replying(m *testpb.SimpleResponse, err error) orders {
	return orders{unary: func(context.Context, *testpb.SimpleRequest) (*testpb.SimpleResponse, error) { return m, err }}
}

// streaming sends n messages of a size, and then does something.
func streaming(n int, every time.Duration, size int, then func(ctx context.Context) error) orders {
	return orders{stream: func(s grpc.ServerStreamingServer[testpb.StreamingOutputCallResponse]) error {
		for range n {
			if err := s.Send(&testpb.StreamingOutputCallResponse{Payload: &testpb.Payload{Body: make([]byte, size)}}); err != nil {
				return err
			}
			if every > 0 {
				select {
				case <-time.After(every):
				case <-s.Context().Done():
					return s.Context().Err()
				}
			}
		}
		return then(s.Context())
	}}
}

func ending(context.Context) error        { return nil }
func hanging(ctx context.Context) error   { <-ctx.Done(); return ctx.Err() }
func failing(context.Context) error       { return status.Error(codes.Unavailable, "secret") }
func three() *probe.Stream                { return &probe.Stream{Messages: 3} }
func holds(d time.Duration) *probe.Stream { return &probe.Stream{Hold: d} }
func messages(n int) map[string]any       { return map[string]any{fmt.Sprintf("$[%d]", n-1): probe.Exists} }

func payload(n int) *testpb.SimpleResponse {
	return &testpb.SimpleResponse{Payload: &testpb.Payload{Body: make([]byte, n)}}
}

func TestGRPC(t *testing.T) {
	t.Parallel()
	const soon, long = 300 * time.Millisecond, 10 * time.Second
	echo := orders{unary: func(ctx context.Context, in *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
		md, _ := metadata.FromIncomingContext(ctx)
		_ = grpc.SetHeader(ctx, metadata.Pairs("x-user", strings.Join(md.Get("x-user"), ",")))
		return &testpb.SimpleResponse{Username: "u", ServerId: strconv.Itoa(int(in.GetResponseSize())), GrpclbRouteType: testpb.GrpclbRouteType_GRPCLB_ROUTE_TYPE_BACKEND}, nil
	}}
	ok := probe.Expect{Status: probe.Statuses{"OK"}}
	for name, c := range map[string]struct {
		serve  orders
		call   probe.GRPC
		expect probe.Expect
		outcome
	}{
		"unary":                  {echo, probe.GRPC{Method: unary, Message: map[string]any{"responseSize": "4{{.seq}}"}}, probe.Expect{Status: probe.Statuses{"OK"}, JSON: map[string]any{"$.username": "u", "$.serverId": map[string]any{"matches": "^4[0-9]$"}, "$.hostname": "", "$.grpclbRouteType": "GRPCLB_ROUTE_TYPE_BACKEND"}, Contains: probe.Texts{`"username":"u"`}}, outcome{}},
		"metadata":               {echo, probe.GRPC{Method: unary, Metadata: map[string]string{"x-user": "me"}}, probe.Expect{Headers: map[string]any{"x-user": "me"}}, outcome{presence: probe.Present}},
		"another answer":         {echo, probe.GRPC{Method: unary}, probe.Expect{JSON: map[string]any{"$.username": "x"}}, outcome{want: "$.username is not the expected value"}},
		"not the method's type":  {echo, probe.GRPC{Method: unary, Message: map[string]any{"nonsense": 1}}, ok, outcome{want: "message: does not fit grpc.testing.SimpleRequest", presence: probe.Unconfirmed}},
		"not found":              {replying(nil, status.Error(codes.NotFound, "secret")), probe.GRPC{Method: unary}, ok, outcome{want: "status NOT_FOUND, expected OK", presence: probe.Absent}},
		"not found, as expected": {replying(nil, status.Error(codes.NotFound, "")), probe.GRPC{Method: unary}, probe.Expect{Status: probe.Statuses{"NOT_FOUND"}}, outcome{}},
		"unavailable":            {replying(nil, status.Error(codes.Unavailable, "secret")), probe.GRPC{Method: unary}, probe.Expect{}, outcome{want: "status UNAVAILABLE", presence: probe.Unconfirmed}},
		"cancelled":              {replying(nil, status.Error(codes.Canceled, "")), probe.GRPC{Method: unary}, probe.Expect{}, outcome{want: "status CANCELLED"}},
		"deadline of the server": {replying(nil, status.Error(codes.DeadlineExceeded, "")), probe.GRPC{Method: unary}, probe.Expect{}, outcome{want: "status DEADLINE_EXCEEDED"}},
		"slow": {orders{unary: func(ctx context.Context, _ *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
			return nil, hanging(ctx)
		}}, probe.GRPC{Method: unary}, ok, outcome{want: "timeout", within: soon, presence: probe.Unconfirmed}},
		"3 MiB":                 {replying(payload(3*mib), nil), probe.GRPC{Method: unary}, probe.Expect{Size: map[string]any{"gte": 4 * mib}}, outcome{}},
		"a huge message":        {replying(payload(5*mib), nil), probe.GRPC{Method: unary}, ok, outcome{want: "a message of the response is larger than 4 MiB", presence: probe.Unconfirmed}},
		"no such method":        {echo, probe.GRPC{Method: "grpc.testing.TestService/Nothing"}, ok, outcome{want: "the server's reflection does not describe the method grpc.testing.TestService/Nothing"}},
		"no such service":       {echo, probe.GRPC{Method: "shop.Orders/Create"}, ok, outcome{want: "the server's reflection does not know the service"}},
		"a stream, to its end":  {streaming(5, 0, 1, ending), probe.GRPC{Method: stream}, probe.Expect{JSON: messages(5)}, outcome{presence: probe.Present}},
		"an empty stream":       {streaming(0, 0, 1, ending), probe.GRPC{Method: stream}, probe.Expect{JSON: map[string]any{"$": map[string]any{"length": 0}}}, outcome{}},
		"three messages":        {streaming(5, 0, 1, hanging), probe.GRPC{Method: stream, Stream: three()}, probe.Expect{JSON: map[string]any{"$": map[string]any{"length": 3}}}, outcome{presence: probe.Present}},
		"three of two messages": {streaming(2, 0, 1, ending), probe.GRPC{Method: stream, Stream: three()}, ok, outcome{want: "the stream ended before 3 messages", presence: probe.Unconfirmed}},
		"a stream that fails":   {streaming(2, 0, 1, failing), probe.GRPC{Method: stream, Stream: three()}, ok, outcome{want: "status UNAVAILABLE, expected OK"}},
		"a silent stream":       {streaming(2, 0, 1, hanging), probe.GRPC{Method: stream, Stream: three()}, ok, outcome{want: "timeout", within: soon}},
		"a gap":                 {streaming(2, 0, 1, hanging), probe.GRPC{Method: stream, Stream: &probe.Stream{Messages: 3, Gap: soon}}, ok, outcome{want: "the stream was silent for 300ms"}},
		"an endless stream":     {streaming(1<<30, 0, mib, ending), probe.GRPC{Method: stream}, ok, outcome{want: "the response is larger than 64 MiB", within: 30 * time.Second}},
		"8 MiB of messages":     {streaming(8, 0, mib, ending), probe.GRPC{Method: stream}, probe.Expect{JSON: messages(1)}, outcome{want: "the response is larger than the 4 MiB that expect, capture and acknowledges can check"}},
		"held":                  {streaming(1000, 50*time.Millisecond, 1, ending), probe.GRPC{Method: stream, Stream: holds(2 * time.Second)}, probe.Expect{JSON: messages(3)}, outcome{}},
		"held, ended":           {streaming(3, 50*time.Millisecond, 1, ending), probe.GRPC{Method: stream, Stream: holds(long)}, ok, outcome{want: "the stream ended while it was held"}},
		"held, failed":          {streaming(3, 50*time.Millisecond, 1, failing), probe.GRPC{Method: stream, Stream: holds(long)}, ok, outcome{want: "status UNAVAILABLE, expected OK"}},
		"held, silent":          {streaming(3, 50*time.Millisecond, 1, hanging), probe.GRPC{Method: stream, Stream: &probe.Stream{Hold: long, Gap: soon}}, ok, outcome{want: "the stream was silent for 300ms"}},
		"held, silent at once":  {streaming(0, 0, 1, hanging), probe.GRPC{Method: stream, Stream: &probe.Stream{Hold: long, Gap: time.Minute}}, ok, outcome{want: "timeout", within: soon}},
		"held, a longer gap":    {streaming(9, 600*time.Millisecond, 1, ending), probe.GRPC{Method: stream, Stream: &probe.Stream{Hold: 2 * time.Second, Gap: 3 * time.Second}}, ok, outcome{}},
		"held, endless":         {streaming(1<<30, 0, mib, ending), probe.GRPC{Method: stream, Stream: holds(time.Second)}, probe.Expect{}, outcome{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := grpcServer(t, c.serve)
			reflection.Register(s)
			c.call.Address = listenAt(t, s, "127.0.0.1:0")
			v := check(t, "http://192.0.2.1", probe.Step{GRPC: &c.call, Expect: c.expect}, c.outcome)
			if strings.Contains(v.Sample.Error, "secret") || c.call.Holds() > 0 && c.want == "" && v.Sample.Latency > c.call.Holds() {
				t.Errorf("%+v", v.Sample)
			}
		})
	}
}

// The types come from a file if the server has no reflection, which is said otherwise.
func TestDescriptors(t *testing.T) {
	t.Parallel()
	address := listenAt(t, grpcServer(t, replying(&testpb.SimpleResponse{Username: "u"}, nil)), "127.0.0.1:0")
	set := descriptors(t)
	for name, c := range map[string]struct {
		call probe.GRPC
		want string
	}{
		"none":       {probe.GRPC{Method: unary}, "the server has no reflection: set descriptors:"},
		"a file":     {probe.GRPC{Method: unary, Descriptors: "x.pb", Content: set}, ""},
		"no file":    {probe.GRPC{Method: unary, Descriptors: "x.pb", Content: []byte("text")}, "descriptors: the file is no descriptor set, as protoc --descriptor_set_out --include_imports writes it"},
		"no method":  {probe.GRPC{Method: "grpc.testing.TestService/X", Descriptors: "x.pb", Content: set}, "descriptors: service grpc.testing.TestService has no method X"},
		"no service": {probe.GRPC{Method: "a.B/X", Descriptors: "x.pb", Content: set}, "descriptors: there is no service a.B"},
		"streams":    {probe.GRPC{Method: "grpc.testing.TestService/StreamingInputCall", Descriptors: "x.pb", Content: set}, "takes a stream of requests"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.call.Address = address
			step := probe.Step{GRPC: &c.call, Expect: probe.Expect{JSON: map[string]any{"$.username": "u"}}}
			if c.want == "" || name == "none" {
				check(t, "http://192.0.2.1", step, outcome{want: c.want})
				return
			}
			err := wired("http://192.0.2.1", probe.Journey{Name: "j", Steps: []probe.Step{step}}).Run(t.Context(), nil)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, expected %s", err, c.want)
			}
		})
	}
}
