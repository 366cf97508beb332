package main_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// write writes a file in the user's folder.
func (toy *toy) write(name, text string) {
	toy.t.Helper()
	writeFile(toy.t, toy.dir, name, text)
}

// certificate writes a certificate and its key, which it returns.
func (toy *toy) certificate() (key string) {
	toy.t.Helper()
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		toy.t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, own.Public(), own)
	if err != nil {
		toy.t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(own)
	if err != nil {
		toy.t.Fatal(err)
	}
	key = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	toy.write("user.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})))
	toy.write("user.key", key)
	return key
}

// How users connect and arrive is in the plan, in the run and in its reports. The key of
// their certificate is in no file but its own.
func TestHowUsersConnectAndArrive(t *testing.T) {
	t.Parallel()
	toy := newToy(t)
	key := toy.certificate()
	declared, err := os.ReadFile(filepath.Join(toy.dir, "gameday.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	toy.write("gameday.yaml", strings.Replace(string(declared), "staging: {", "staging: {connect: {insecure: true, certificate: user.pem, key: user.key}, ", 1))
	toy.write("journeys/browse.yaml", "version: 1\nname: browse\nsteps: [{get: /}]\n")
	toy.write("scenarios/rising.yaml", strings.Replace(scenarioFor("rising", "kill: {target: {name: db}}"), "{journey: checkout, rate: 50/s, critical: true}",
		"{mix: {checkout: 1, browse: 1}, rate: 100/s, critical: true, stages: [{to: 200/s, over: 2s}]}", 1))

	code, out, text := toy.gameday("plan", "rising")
	for _, want := range []string{
		"Load         browse at 50/s, from the fault on to 100/s over 2s, critical\n", "Load         checkout at 50/s, from the fault on to 100/s over 2s, critical\n",
		"Connection   certificates are not verified (insecure: true)\n", "Connection   with a client certificate\n",
	} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("plan: %d, expected %q in\n%s%s", code, want, out, text)
		}
	}
	code, out, text = toy.gameday("run", "rising", "--json")
	var v struct {
		Verdict    string
		Connection []string
		Load       []struct {
			Journey, Arrivals string
			Error             *struct {
				P99 float64 `json:"p99_s"`
			} `json:"arrival_error"`
		}
	}
	if err := json.Unmarshal([]byte(out), &v); err != nil || code != 1 || v.Verdict != "proven" || len(v.Connection) != 2 || len(v.Load) != 2 {
		t.Fatalf("run: %d %+v %v\n%s", code, v, err, text)
	}
	if l := v.Load[0]; l.Journey != "browse" || l.Arrivals != "50/s, from the fault on to 100/s over 2s" || l.Error == nil || l.Error.P99 <= 0 {
		t.Errorf("%+v", l)
	}
	if !strings.Contains(text, "connection of users: certificates are not verified") {
		t.Errorf("it is not stated:\n%s", text)
	}
	secret := strings.Split(key, "\n")[1]
	err = filepath.WalkDir(toy.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "user.key" {
			return err
		}
		data, err := os.ReadFile(path)
		if strings.Contains(string(data), secret) {
			t.Errorf("the key is in %s", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	toy.clean()

	// Users of a file who would be no more before the run ends are refused, as is a key
	// that is not there. Nothing is broken.
	toy.write("journeys/users.csv", "name\nann\nbob\n")
	toy.write("journeys/checkout.yaml", "version: 1\nname: checkout\nusers: {file: users.csv, order: once}\nsteps: [{get: '/{{.name}}'}]\n")
	for _, command := range []string{"plan", "run"} {
		if code, _, text = toy.gameday(command, "db-loss"); code != 2 || !strings.Contains(text, "users.csv has 2 rows for one user each (order: once), but 1250 users arrive in a run of up to 25s at 50/s") {
			t.Errorf("%s: %d\n%s", command, code, text)
		}
	}
	if err := os.Remove(filepath.Join(toy.dir, "user.key")); err != nil {
		t.Fatal(err)
	}
	if code, _, text = toy.gameday("run", "db-loss"); code != 2 || !strings.Contains(text, "environment staging: connect.key: ") {
		t.Errorf("%d\n%s", code, text)
	}
	toy.clean()
}
