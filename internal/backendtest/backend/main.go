// Command backend is a back end of tests: one process that answers HTTP, gRPC and
// WebSockets. Streams and WebSockets send five messages a second until the client leaves.
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/coder/websocket"
	"google.golang.org/grpc"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/reflection"
)

// every is the time between two messages.
const every = 200 * time.Millisecond

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "backend:", err)
		os.Exit(1) //nolint:forbidigo // this is main.go
	}
}

func serve() error {
	// Both listen before either serves, so that neither protocol is there before the other.
	web, err := net.Listen("tcp", ":8080") //nolint:noctx // as long as the process
	if err != nil {
		return err
	}
	calls, err := net.Listen("tcp", ":50051") //nolint:noctx // as long as the process
	if err != nil {
		return err
	}
	ended := make(chan error, 2)
	go func() {
		mux := http.NewServeMux()
		mux.HandleFunc("POST /orders", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) })
		mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
		mux.HandleFunc("GET /live", live)
		server := http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
		ended <- server.Serve(web)
	}()
	go func() {
		server := grpc.NewServer()
		testpb.RegisterTestServiceServer(server, orders{})
		reflection.Register(server)
		ended <- server.Serve(calls)
	}()
	return <-ended
}

// live sends messages over a WebSocket.
func live(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer func() { _ = c.CloseNow() }()
	ctx := c.CloseRead(r.Context())
	_ = repeat(ctx, func() error { return c.Write(ctx, websocket.MessageText, []byte(`{"state":"open"}`)) }) // the client left
}

// orders is the service of gRPC.
type orders struct {
	testpb.UnimplementedTestServiceServer
}

// UnaryCall answers one call.
func (orders) UnaryCall(context.Context, *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
	return &testpb.SimpleResponse{Username: "open"}, nil
}

// StreamingOutputCall sends messages over a stream.
func (orders) StreamingOutputCall(_ *testpb.StreamingOutputCallRequest, s grpc.ServerStreamingServer[testpb.StreamingOutputCallResponse]) error {
	return repeat(s.Context(), func() error {
		return s.Send(&testpb.StreamingOutputCallResponse{Payload: &testpb.Payload{Body: []byte("open")}})
	})
}

// repeat sends until the client leaves.
func repeat(ctx context.Context, send func() error) error {
	ticks := time.NewTicker(every)
	defer ticks.Stop()
	for {
		if err := send(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticks.C:
		}
	}
}
