package steps_test

import (
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
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
func sends(n int) *probe.Stream           { return &probe.Stream{Messages: n} }
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
		return &testpb.SimpleResponse{Username: "u", ServerId: fmt.Sprint(in.GetResponseSize()), GrpclbRouteType: testpb.GrpclbRouteType_GRPCLB_ROUTE_TYPE_BACKEND}, nil
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
		"three messages":        {streaming(5, 0, 1, hanging), probe.GRPC{Method: stream, Stream: sends(3)}, probe.Expect{JSON: map[string]any{"$": map[string]any{"length": 3}}}, outcome{presence: probe.Present}},
		"three of two messages": {streaming(2, 0, 1, ending), probe.GRPC{Method: stream, Stream: sends(3)}, ok, outcome{want: "the stream ended before 3 messages", presence: probe.Unconfirmed}},
		"a stream that fails":   {streaming(2, 0, 1, failing), probe.GRPC{Method: stream, Stream: sends(3)}, ok, outcome{want: "status UNAVAILABLE, expected OK"}},
		"a silent stream":       {streaming(2, 0, 1, hanging), probe.GRPC{Method: stream, Stream: sends(3)}, ok, outcome{want: "timeout", within: soon}},
		"a gap":                 {streaming(2, 0, 1, hanging), probe.GRPC{Method: stream, Stream: &probe.Stream{Messages: 3, Gap: soon}}, ok, outcome{want: "the stream was silent for 300ms"}},
		"an endless stream":     {streaming(1<<30, 0, mib, ending), probe.GRPC{Method: stream}, ok, outcome{want: "the response is larger than 64 MiB", within: 30 * time.Second}},
		"8 MiB of messages":     {streaming(8, 0, mib, ending), probe.GRPC{Method: stream}, probe.Expect{JSON: messages(1)}, outcome{want: "the response is larger than the 4 MiB that expect, capture and acknowledges can check"}},
		"held":                  {streaming(1000, 50*time.Millisecond, 1, ending), probe.GRPC{Method: stream, Stream: holds(2 * time.Second)}, probe.Expect{JSON: messages(3)}, outcome{}},
		"held, ended":           {streaming(3, 50*time.Millisecond, 1, ending), probe.GRPC{Method: stream, Stream: holds(long)}, ok, outcome{want: "the stream ended while it was held"}},
		"held, failed":          {streaming(3, 50*time.Millisecond, 1, failing), probe.GRPC{Method: stream, Stream: holds(long)}, ok, outcome{want: "status UNAVAILABLE, expected OK"}},
		"held, silent":          {streaming(3, 50*time.Millisecond, 1, hanging), probe.GRPC{Method: stream, Stream: holds(long)}, ok, outcome{want: "the stream was silent for 300ms", within: soon}},
		"held, silent at once":  {streaming(0, 0, 1, hanging), probe.GRPC{Method: stream, Stream: &probe.Stream{Hold: long, Gap: time.Minute}}, ok, outcome{want: "timeout", within: soon}},
		"held, a longer gap":    {streaming(9, 600*time.Millisecond, 1, ending), probe.GRPC{Method: stream, Stream: &probe.Stream{Hold: 2 * time.Second, Gap: 3 * time.Second}}, ok, outcome{within: 500 * time.Millisecond}},
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

// Servers that are none, and one whose certificate is not trusted.
func TestNoServerOfGRPC(t *testing.T) {
	t.Parallel()
	plain := httptest.NewServer(nil)
	gone := httptest.NewServer(nil)
	gone.Close()
	secure := httptest.NewUnstartedServer(nil)
	secure.EnableHTTP2 = true
	secure.StartTLS()
	busy := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	busy.Config.Protocols = new(http.Protocols)
	busy.Config.Protocols.SetUnencryptedHTTP2(true)
	busy.Start()
	for _, s := range []*httptest.Server{plain, secure, busy} {
		t.Cleanup(s.Close)
	}
	for name, c := range map[string]struct {
		entry string
		outcome
	}{
		"HTTP/1.1":  {plain.URL, outcome{want: "the server does not speak HTTP/2"}},
		"HTTP/2":    {busy.URL, outcome{want: "the response is not gRPC: status 503 of HTTP"}},
		"gone":      {gone.URL, outcome{want: "dial: connection refused"}},
		"untrusted": {secure.URL, outcome{want: "tls: the certificate is signed by an unknown authority"}},
		"no TLS":    {strings.Replace(plain.URL, "http:", "https:", 1), outcome{want: "tls: the server does not speak TLS"}},
		"no name":   {"http://no-such-name.invalid", outcome{want: "look up the name: no such host"}},
		"silent":    {"http://" + wireServer(t, mute), outcome{want: "timeout", within: 300 * time.Millisecond}},
		"closed":    {"http://" + wireServer(t, func(net.Conn) {}), outcome{want: "connection closed"}},
		"garbage":   {"http://" + wireServer(t, func(c net.Conn) { _, _ = io.Copy(c, io.LimitReader(zeros{}, 64*mib)) }), outcome{want: "the server does not speak HTTP/2"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.presence = probe.Unconfirmed
			step := probe.Step{GRPC: &probe.GRPC{Method: unary, Descriptors: "x.pb", Content: descriptors(t)}}
			check(t, c.entry, step, c.outcome)
		})
	}
}

// The way's trust is used, and the host of the entry.
func TestGRPCOverTLS(t *testing.T) {
	t.Parallel()
	plain := httptest.NewTLSServer(nil)
	t.Cleanup(plain.Close)
	s := grpcServer(t, replying(&testpb.SimpleResponse{}, nil), grpc.Creds(credentials.NewServerTLSFromCert(&plain.TLS.Certificates[0])))
	reflection.Register(s)
	_, port, err := net.SplitHostPort(listenAt(t, s, "127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	for want, tls := range map[string]*bool{"": nil, "s: connection closed": new(false)} {
		step := probe.Step{Name: "s", GRPC: &probe.GRPC{Method: unary, Address: ":" + port, TLS: tls}}
		l := wired("https://127.0.0.1", probe.Journey{Name: "j", Timeout: 5 * time.Second, Steps: []probe.Step{step}})
		l.Way.CA = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: plain.Certificate().Raw}))
		if v := users(t, l, 1)[0]; v.Sample.Error != want {
			t.Errorf("%q: %+v", want, v.Sample)
		}
	}
}

type zeros struct{}

func (zeros) Read(data []byte) (int, error) { return len(data), nil }

// An outage is seen as long as it lasts, and no longer: nothing backs off.
func TestARecoveryIsSeenAtOnce(t *testing.T) {
	t.Parallel()
	for _, connections := range []string{"reuse", "fresh"} {
		t.Run(connections, func(t *testing.T) {
			t.Parallel()
			step := probe.Step{Name: "s", GRPC: &probe.GRPC{Method: unary, Descriptors: "x.pb", Content: descriptors(t)}}
			s := grpcServer(t, replying(&testpb.SimpleResponse{}, nil))
			step.GRPC.Address = listenAt(t, s, "127.0.0.1:0")
			l := wired("http://192.0.2.1", probe.Journey{Name: "j", Timeout: 2 * time.Second, Connections: connections, Steps: []probe.Step{step}})
			l.Rate.Users = 50
			ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
			defer cancel()
			var back time.Time
			phase, since := "before", time.Now()
			var late time.Duration
			if err := l.Run(ctx, func(v probe.Visit) {
				switch {
				case phase == "before" && !v.Sample.Failed() && time.Since(since) > 300*time.Millisecond:
					s.Stop()
					phase, since = "down", time.Now()
				case phase == "down" && v.Sample.Failed() && time.Since(since) > 2500*time.Millisecond: // a backoff would be seconds by now
					listenAt(t, grpcServer(t, replying(&testpb.SimpleResponse{}, nil)), step.GRPC.Address)
					phase, back = "up", time.Now()
				case phase == "up" && !v.Sample.Failed():
					late = v.Sample.Sent.Sub(back)
					cancel()
				case v.Sample.Failed() && v.Sample.Error != "s: dial: connection refused" && v.Sample.Error != "s: connection closed":
					t.Errorf("%+v", v.Sample)
				}
			}); err != nil || phase != "up" || late > 500*time.Millisecond {
				t.Errorf("%s: recovery was seen after %v: %v", phase, late, err)
			}
		})
	}
}

// A connection that dies without a word takes the users of half a timeout with it, and no
// more: the others get a new connection.
func TestASilentDrop(t *testing.T) {
	t.Parallel()
	server := listenAt(t, grpcServer(t, replying(&testpb.SimpleResponse{}, nil)), "127.0.0.1:0")
	cut := make(chan struct{})
	first, second := proxy(t, server, cut), proxy(t, server, nil)
	var once sync.Once
	var mu sync.Mutex
	to := first
	// Users who connect anew get to the second proxy after the cut.
	entry := wireServer(t, func(c net.Conn) {
		mu.Lock()
		target := to
		mu.Unlock()
		there, err := net.Dial("tcp", target) //nolint:noctx // closed below
		if err != nil {
			return
		}
		var both sync.WaitGroup
		both.Go(func() { _, _ = io.Copy(there, c); _ = there.Close() })
		both.Go(func() { _, _ = io.Copy(c, there); _ = c.Close() })
		both.Wait()
	})
	step := probe.Step{Name: "s", GRPC: &probe.GRPC{Method: unary, Address: entry, Descriptors: "x.pb", Content: descriptors(t)}}
	l := wired("http://192.0.2.1", probe.Journey{Name: "j", Timeout: time.Second, Steps: []probe.Step{step}})
	l.Rate.Users = 50
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	var fell, rose time.Time
	began := time.Now()
	if err := l.Run(ctx, func(v probe.Visit) {
		switch {
		case !v.Sample.Failed() && time.Since(began) > 300*time.Millisecond && fell.IsZero():
			once.Do(func() {
				mu.Lock()
				to = second
				mu.Unlock()
				close(cut)
				fell = time.Now()
			})
		case v.Sample.Failed():
			if v.Sample.Error != "s: timeout" || v.Sample.Void {
				t.Errorf("%+v", v.Sample)
			}
			if sent := v.Sample.Sent; sent.After(rose) {
				rose = sent
			}
		case !fell.IsZero() && v.Sample.Sent.Sub(fell) > 1500*time.Millisecond:
			cancel()
		}
	}); err != nil {
		t.Fatal(err)
	}
	if dead := rose.Sub(fell); rose.IsZero() || dead > 800*time.Millisecond {
		t.Errorf("the last user of the dead connection came %v after its end", dead)
	}
}

// What a server sends takes bounded memory.
func TestMemoryOfAStream(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	s := grpcServer(t, streaming(1<<30, 0, mib, ending))
	reflection.Register(s)
	step := probe.Step{Name: "s", GRPC: &probe.GRPC{Method: stream, Address: listenAt(t, s, "127.0.0.1:0"), Stream: holds(2 * time.Second)}}
	l := wired("http://192.0.2.1", probe.Journey{Name: "j", Steps: []probe.Step{step}})
	l.Rate = probe.Rate{Users: 1, Per: time.Second}
	stop := make(chan struct{})
	most := make(chan uint64)
	go func() {
		var found uint64
		for {
			select {
			case <-stop:
				most <- found
				return
			case <-time.After(50 * time.Millisecond):
				runtime.GC()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				found = max(found, m.HeapAlloc)
			}
		}
	}()
	users(t, l, 1)
	close(stop)
	if took := <-most; took > 128*mib {
		t.Errorf("%d MiB in use", took>>20)
	}
}
