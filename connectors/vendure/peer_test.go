package vendure_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// peer is a real Vendure in a process of its own.
type peer struct {
	dir   string // of its data
	port  int
	token string
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *bufio.Scanner
}

// newPeer starts a Vendure with nothing in it.
func newPeer(t *testing.T) *peer {
	t.Helper()
	home := os.Getenv("KVART_TEST_VENDURE")
	if home == "" {
		t.Skip("KVART-SKIP vendure: KVART_TEST_VENDURE names no folder with Vendure: npm ci in packaging/ci/vendure")
	}
	p := &peer{dir: t.TempDir(), port: freePort(t)}
	p.start(t, home)
	t.Cleanup(func() { p.stop(t) })
	return p
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

// start starts the process, at the port it had.
func (p *peer) start(t *testing.T, home string) {
	t.Helper()
	home, err := filepath.Abs(home)
	if err != nil {
		t.Fatal(err)
	}
	p.cmd = exec.Command("node", filepath.Join(home, "server.mjs"))
	p.cmd.Env = append(os.Environ(), "DATA="+p.dir, "PORT="+strconv.Itoa(p.port), "NODE_ENV=production", "VENDURE_DISABLE_TELEMETRY=true")
	var log bytes.Buffer
	p.cmd.Stderr = &log
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewScanner(out)
	if !p.says("listening") {
		t.Fatalf("Vendure did not start: %v\n%s", p.cmd.Wait(), log.String())
	}
	p.enter(t)
}

// says waits until the process says a word.
func (p *peer) says(word string) bool {
	for p.out.Scan() {
		if strings.Contains(p.out.Text(), `"`+word+`"`) {
			return true
		}
	}
	return false
}

// save has the process write its data, so that it can be started again.
func (p *peer) save(t *testing.T) {
	t.Helper()
	if _, err := io.WriteString(p.in, "save\n"); err != nil || !p.says("saved") {
		t.Fatalf("not saved: %v", err)
	}
}

// stop kills the process, as a power cut does.
func (p *peer) stop(t *testing.T) {
	t.Helper()
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill()
	_ = p.in.Close()
	_ = p.cmd.Wait() // it says that it was killed
	t.Logf("CPU %v %v", p.cmd.ProcessState.UserTime(), p.cmd.ProcessState.SystemTime())
	p.cmd = nil
}

func (p *peer) url() string { return "http://127.0.0.1:" + strconv.Itoa(p.port) }

// record is what Vendure answers.
type record = map[string]any

// ask asks as the shop's owner.
func (p *peer) ask(t *testing.T, text string, vars record) record {
	t.Helper()
	body, err := json.Marshal(record{"query": text, "variables": vars})
	if err != nil {
		t.Fatal(err)
	}
	answer, header := p.post(t, "application/json", bytes.NewReader(body))
	if token := header.Get("Vendure-Auth-Token"); token != "" && p.token == "" {
		p.token = token
	}
	return answer
}

func (p *peer) post(t *testing.T, typ string, body io.Reader) (record, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url()+"/admin-api", body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", typ)
	if p.token != "" {
		req.Header.Set("Authorization", "Bearer "+p.token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var got struct {
		Data   record
		Errors json.RawMessage
	}
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.Errors != nil {
		t.Fatalf("the shop says %s", got.Errors)
	}
	return got.Data, resp.Header
}

func (p *peer) enter(t *testing.T) {
	t.Helper()
	p.token = ""
	p.ask(t, `mutation { login(username: "agare", password: "kaffe-och-te") { __typename } }`, nil)
	if p.token == "" {
		t.Fatal("no token")
	}
}

// do runs a mutation and returns the id of what it made.
func (p *peer) do(t *testing.T, mutation, typ string, input any) string {
	t.Helper()
	got := p.ask(t, fmt.Sprintf("mutation($input: %s) { done: %s(input: $input) { ... on Node { id } __typename } }", typ, mutation), record{"input": input})
	done := got["done"]
	if list, ok := done.([]any); ok {
		done = list[0]
	}
	id, _ := done.(record)["id"].(string)
	if id == "" {
		t.Fatalf("%s: %v", mutation, got)
	}
	return id
}

// upload sends a picture.
func (p *peer) upload(t *testing.T, name string, file []byte) string {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	_ = w.WriteField("operations", `{"query":"mutation($input: [CreateAssetInput!]!) { createAssets(input: $input) { ... on Asset { id } } }","variables":{"input":[{"file":null,"tags":["bönor"]}]}}`)
	_ = w.WriteField("map", `{"0":["variables.input.0.file"]}`)
	part, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {multipart.FileContentDisposition("0", name)}, "Content-Type": {"image/png"}})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = part.Write(file)
	_ = w.Close()
	got, _ := p.post(t, w.FormDataContentType(), &b)
	id, _ := got["createAssets"].([]any)[0].(record)["id"].(string)
	if id == "" {
		t.Fatalf("upload: %v", got)
	}
	return id
}

// quiet waits until the shop has worked off what it does behind.
func (p *peer) quiet(t *testing.T) {
	t.Helper()
	for range 200 {
		got := p.ask(t, `{ jobs(options: { filter: { isSettled: { eq: false } } }) { totalItems } }`, nil)
		if got["jobs"].(record)["totalItems"] == 0.0 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("the shop is never done")
}

// The login that packaging/ci/vendure/server.mjs makes.
const (
	owner    = "agare"
	password = "kaffe-och-te"
)
