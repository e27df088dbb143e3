package s3test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"testing"
)

// Line is a connection to a server that can be made bad, by a toxiproxy.
type Line struct {
	Addr string // to reach the server by

	t   testing.TB
	api string // of this line
}

// NewLine lays a line to the server at upstream through the toxiproxy at api.
func NewLine(t testing.TB, api, upstream string) *Line {
	t.Helper()
	name := rand.Text()
	l := &Line{t: t, api: api + "/proxies/" + name}
	var made struct {
		Listen string `json:"listen"`
	}
	l.ask(http.MethodPost, api+"/proxies", map[string]any{"name": name, "listen": "127.0.0.1:0", "upstream": upstream, "enabled": true}, &made)
	l.Addr = made.Listen
	t.Cleanup(func() { l.ask(http.MethodDelete, l.api, nil, nil) })
	return l
}

// Spoil adds a toxic: what toxiproxy knows by this kind, on the way up or down.
func (l *Line) Spoil(name, kind, way string, attributes map[string]any) {
	l.t.Helper()
	l.ask(http.MethodPost, l.api+"/toxics", map[string]any{"name": name, "type": kind, "stream": way + "stream", "attributes": attributes}, nil)
}

// Mend takes a toxic away.
func (l *Line) Mend(name string) {
	l.t.Helper()
	l.ask(http.MethodDelete, l.api+"/toxics/"+name, nil, nil)
}

func (l *Line) ask(method, url string, send, receive any) {
	l.t.Helper()
	b, err := json.Marshal(send)
	if err != nil {
		l.t.Fatal(err)
	}
	req, err := http.NewRequest(method, url, bytes.NewReader(b)) //nolint:noctx // ends with the test's server
	if err != nil {
		l.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		l.t.Fatalf("toxiproxy: %v", err)
	}
	got, err := io.ReadAll(resp.Body)
	if cerr := resp.Body.Close(); err != nil || cerr != nil || resp.StatusCode >= 300 {
		l.t.Fatalf("toxiproxy: %s %s: %s %s %v %v", method, url, resp.Status, got, err, cerr)
	}
	if receive == nil {
		return
	}
	if err := json.Unmarshal(got, receive); err != nil {
		l.t.Fatalf("toxiproxy: %v", err)
	}
}
