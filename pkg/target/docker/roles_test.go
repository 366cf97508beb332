package docker_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/internal/enginetest/rig"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/target/docker"
)

// barrier holds callers until a number of them are there.
type barrier struct {
	mu      sync.Mutex
	missing int
	open    chan struct{}
}

func newBarrier(n int) *barrier { return &barrier{missing: n, open: make(chan struct{})} }

// wait returns when all are there, or when ctx ends.
func (b *barrier) wait(ctx context.Context) {
	b.mu.Lock()
	if b.missing--; b.missing == 0 {
		close(b.open)
	}
	b.mu.Unlock()
	select {
	case <-b.open:
	case <-ctx.Done():
	}
}

// patience is how long tests wait for what should come at once.
const patience = 20 * time.Second

// roles declares the roles of an environment.
func roles(all map[string]target.Role) func(*opening) {
	return func(o *opening) { o.Roles = all }
}

// nodes puts containers with these names on the engine, each with an address.
func (e *fakeEngine) nodes(address string, names ...string) {
	for _, name := range names {
		e.Add(rig.Box(name, rig.Service("node"), rig.Networks("back "+address)))
	}
}

func ids(components []target.Component) string {
	var all []string
	for _, c := range components {
		all = append(all, c.ID)
	}
	return strings.Join(all, " ")
}

// over asks for a role over HTTP, as roles of gameday.yaml do.
type over struct {
	Port   int
	Path   string
	Status int // 200 if it is 0
}

func (o over) ask(ctx context.Context, address netip.Addr) error {
	step := probe.Step{Get: o.Path, Expect: probe.Expect{Status: probe.Codes(cmp.Or(o.Status, http.StatusOK))}}
	return probe.Question{Step: step, Way: probe.Way{Entry: "http://" + netip.AddrPortFrom(address, uint16(o.Port)).String()}}.Ask(ctx)
}

// web is a server that stands for every component, and the role check that asks it.
func web(tb testing.TB, answer http.HandlerFunc) (address string, check over) {
	tb.Helper()
	server := httptest.NewServer(answer)
	tb.Cleanup(server.Close)
	at := netip.MustParseAddrPort(server.Listener.Addr().String())
	return at.Addr().String(), over{Port: int(at.Port()), Path: "/role"}
}

// Every answer waits for all of the others: it takes questions side by side to get
// one.
func TestRolesAreAskedSideBySide(t *testing.T) {
	t.Parallel()
	names := []string{"n1", "n2", "n3", "n4", "n5", "n6"}
	t.Run("over HTTP", func(t *testing.T) {
		t.Parallel()
		all := newBarrier(len(names))
		address, check := web(t, func(_ http.ResponseWriter, r *http.Request) { all.wait(r.Context()) })
		e := newFakeEngine(t)
		e.nodes(address, names...)
		found, err := e.open(roles(map[string]target.Role{"primary": {Ask: check.ask}})).Find(t.Context(), target.Selector{Role: "primary"})
		if err != nil || ids(found) != strings.Join(names, " ") {
			t.Errorf("%s %v", ids(found), err)
		}
	})
	t.Run("by a command", func(t *testing.T) {
		t.Parallel()
		all := newBarrier(len(names))
		e := newFakeEngine(t)
		e.nodes("127.0.0.1", names...)
		for i, name := range names {
			// The command's last byte comes when all of them are under way.
			e.exec(name, execution{func(w io.Writer) { all.wait(t.Context()); says("hi")(w) }, []string{execEnds(i % 2)}})
		}
		found, err := e.open(roles(map[string]target.Role{"primary": {Command: []string{"am-i"}}})).Find(t.Context(), target.Selector{Role: "primary"})
		if err != nil || ids(found) != "n1 n3 n5" { // in the order of their names
			t.Errorf("%s %v", ids(found), err)
		}
	})
}

// A component that does not answer costs the others nothing, and does not hold the
// role.
func TestRoleOfWhatHangs(t *testing.T) {
	t.Parallel()
	e := newFakeEngine(t)
	e.nodes("127.0.0.1", "n1", "n2", "n3")
	e.exec("n1", execution{untilClosed, []string{execRuns}})
	e.exec("n2", execution{says("yes"), []string{execEnds(0)}})
	e.exec("n3", execution{says(""), []string{execRuns}})
	found, err := e.open(roles(map[string]target.Role{"primary": {Command: []string{"am-i"}}})).Find(t.Context(), target.Selector{Role: "primary"})
	if err != nil || ids(found) != "n2" {
		t.Errorf("%s %v", ids(found), err)
	}
}

func TestRoles(t *testing.T) {
	t.Parallel()
	address, check := web(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/teapot":
			w.WriteHeader(http.StatusTeapot)
		case "/elsewhere":
			http.Redirect(w, r, "/role", http.StatusTemporaryRedirect)
		case "/role":
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	})
	at := func(path string, status int) over {
		return over{Port: check.Port, Path: path, Status: status}
	}
	env := func(t *testing.T, role target.Role) *docker.Environment {
		t.Helper()
		e := newFakeEngine(t)
		e.Add(
			rig.Box("app-1", rig.Service("app"), rig.With("kind=web"), rig.Networks("back "+address)),
			rig.Box("app-2", rig.Service("app"), rig.With("kind=web"), rig.Networks("none - -"), rig.State("exited")),
			rig.Box("db-1", rig.Service("db"), rig.With("kind"), rig.Networks("a - -", "back "+address)),
		)
		for i, name := range []string{"app-1", "db-1"} {
			e.exec(name, execution{says(""), []string{execEnds(i)}})
		}
		return e.open(roles(map[string]target.Role{"primary": role, "other": {}}))
	}
	for name, c := range map[string]struct {
		role target.Role
		want string
	}{
		"nothing asked":                  {target.Role{}, "app-1 app-2 db-1"},
		"among":                          {target.Role{Among: target.Selector{Service: "app"}}, "app-1 app-2"},
		"a label and its value":          {target.Role{Label: "kind=web"}, "app-1 app-2"},
		"a label":                        {target.Role{Label: "kind"}, "app-1 app-2 db-1"},
		"an answer":                      {target.Role{Ask: at("/role", 0).ask}, "app-1 db-1"},
		"another status":                 {target.Role{Ask: at("/teapot", http.StatusTeapot).ask}, "app-1 db-1"},
		"not that status":                {target.Role{Ask: at("/teapot", 0).ask}, ""},
		"no such path":                   {target.Role{Ask: at("/nowhere", 0).ask}, ""},
		"a path that is none":            {target.Role{Ask: at("\x00", 0).ask}, ""},
		"sent elsewhere is no answer":    {target.Role{Ask: at("/elsewhere", 0).ask}, ""},
		"sent elsewhere, as is asked":    {target.Role{Ask: at("/elsewhere", http.StatusTemporaryRedirect).ask}, "app-1 db-1"},
		"a command":                      {target.Role{Command: []string{"am-i"}}, "app-1"},
		"an answer and a label":          {target.Role{Ask: at("/role", 0).ask, Label: "kind=web"}, "app-1"},
		"an answer and a command":        {target.Role{Ask: at("/role", 0).ask, Command: []string{"am-i"}}, "app-1"},
		"an answer, and among none":      {target.Role{Ask: at("/role", 0).ask, Among: target.Selector{Zone: "moon"}}, ""},
		"an answer that the other gives": {target.Role{Ask: at("/role", 0).ask, Among: target.Selector{Name: "app-2"}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, err := env(t, c.role).Find(t.Context(), target.Selector{Role: "primary"})
			if ids(found) != c.want || errors.Is(err, target.ErrNoRole) != (c.want == "") || c.want != "" && err != nil {
				t.Errorf("%q %v, expected %q", ids(found), err, c.want)
			}
			if c.want == "" && !strings.Contains(fmt.Sprint(err), "of 3 components (compose project shop)") {
				t.Errorf("%v: does not say how many were asked", err)
			}
		})
	}
}

func TestRoleThatIsNotDeclared(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		declared map[string]target.Role
		says     string
	}{
		"others": {map[string]target.Role{"b": {}, "a": {}}, `role "primary" is not declared for this environment; declared are: a, b`},
		"none":   {nil, `role "primary" is not declared for this environment; declared are: none`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := newFakeEngine(t).open(roles(c.declared)).Find(t.Context(), target.Selector{Role: "primary"})
			if err == nil || err.Error() != c.says {
				t.Errorf("%v, expected %s", err, c.says)
			}
		})
	}
}

// If time is up, that is what is said, and not that no component has the role.
func TestRoleWhenTimeIsUp(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	address, check := web(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	e := newFakeEngine(t)
	e.nodes(address, "n1")
	_, err := e.open(roles(map[string]target.Role{"primary": {Ask: check.ask}})).Find(ctx, target.Selector{Role: "primary"})
	if !errors.Is(err, context.Canceled) || errors.Is(err, target.ErrNoRole) || !strings.Contains(err.Error(), "primary") {
		t.Error(err)
	}
}

// unreachable is an address of nothing (RFC 5737, for documentation).
const unreachable = "192.0.2.1"

// A proxy of the surroundings is not asked in the component's place. What the
// surroundings say is read once in a process, hence another one.
func TestRolesByNoProxy(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(proxy.Close)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	child := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestRoleOfWhatIsBehindAProxy$", "-test.v")
	child.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(strings.ToLower(v), "no_proxy=") }), "HTTP_PROXY="+proxy.URL)
	output, err := child.CombinedOutput()
	if err != nil || !strings.Contains(string(output), "--- PASS") || asked.Load() != 0 {
		t.Errorf("%v: the proxy was asked %d times: %s", err, asked.Load(), output)
	}
}

// Nothing answers at the component's address. It is the other half of
// [TestRolesByNoProxy], and holds without a proxy too.
func TestRoleOfWhatIsBehindAProxy(t *testing.T) {
	t.Parallel()
	e := newFakeEngine(t)
	e.nodes(unreachable, "n1")
	env := e.open(roles(map[string]target.Role{"primary": {Ask: over{Port: 80, Path: "/"}.ask}}))
	if found, err := env.Find(t.Context(), target.Selector{Role: "primary"}); !errors.Is(err, target.ErrNoRole) {
		t.Errorf("%q holds a role that nothing has answered to: %v", ids(found), err)
	}
}

// No connection to a component is left open.
func TestRolesKeepNoConnection(t *testing.T) {
	t.Parallel()
	states := make(chan http.ConnState, 100)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) { states <- s }
	server.Start()
	t.Cleanup(server.Close)
	at := netip.MustParseAddrPort(server.Listener.Addr().String())
	e := newFakeEngine(t)
	e.nodes(at.Addr().String(), "n1")
	env := e.open(roles(map[string]target.Role{"primary": {Ask: over{Port: int(at.Port()), Path: "/"}.ask}}))
	if _, err := env.Find(t.Context(), target.Selector{Role: "primary"}); err != nil {
		t.Fatal(err)
	}
	for {
		select {
		case s := <-states:
			if s == http.StateIdle {
				t.Fatal("a connection is kept")
			}
			if s == http.StateClosed {
				return
			}
		case <-time.After(patience):
			t.Fatal("the connection is still there")
		}
	}
}
