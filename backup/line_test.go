package backup_test

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"kvart/app"
	"kvart/backup/storage/s3test"
	"kvart/backup/vaulttest"
)

// badLine is a way in which a line to a storage is bad.
type badLine struct {
	name, kind, way string
	attributes      map[string]any
	fails           bool
}

// badLines returns them all, and where the toxiproxy is that makes them.
func badLines(t *testing.T) ([]badLine, string) {
	t.Helper()
	api := os.Getenv("KVART_TEST_TOXIPROXY")
	if api == "" {
		t.Skip("KVART-SKIP line: KVART_TEST_TOXIPROXY names no toxiproxy; make test starts one")
	}
	return []badLine{
		{"slow", "latency", "down", map[string]any{"latency": 100, "jitter": 50}, false},
		{"in slices", "slicer", "up", map[string]any{"average_size": 4000, "size_variation": 2000, "delay": 200}, false},
		{"cut while sending", "limit_data", "up", map[string]any{"bytes": 300_000}, true},
		{"cut while receiving", "limit_data", "down", map[string]any{"bytes": 100}, true},
	}, api
}

// On a bad line a run may take long or fail, with the right code. It loses
// nothing, and the next one is as if nothing had been.
func (l badLine) try(t *testing.T, spec app.StorageSpec, line *s3test.Line) {
	t.Helper()
	f := &vaulttest.Fixture{Provider: provider(t), Spec: spec, StateDir: t.TempDir()}
	v := f.Create(t)
	old := vaulttest.File("a", vaulttest.Noise(200_000, 1))
	first := vaulttest.Save(t, v, vaulttest.Request("s", old)).Point.ID
	line.Spoil("bad", l.kind, l.way, l.attributes)
	item := vaulttest.File("a", vaulttest.Noise(3<<20, 100))
	err := save(t, v, item)
	line.Mend("bad")
	if l.fails {
		wantCode(t, err, app.CodeStorageOffline)
	} else if err != nil {
		t.Errorf("save: %v", err)
	}
	second := vaulttest.Save(t, v, vaulttest.Request("s", item)).Point.ID
	vaulttest.Compare(t, v, first, old)
	vaulttest.Compare(t, v, second, item)
	r, err := v.Verify(t.Context(), app.VerifyRequest{Percent: 100}, nil)
	if err != nil || len(r.Damaged) > 0 {
		t.Errorf("report %+v, %v", r, err)
	}
}

func TestVault_BadLineToRealBucket(t *testing.T) {
	t.Parallel()
	lines, api := badLines(t)
	for _, l := range lines {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			spec := realBucket(t)
			line := s3test.NewLine(t, api, spec.Settings["endpoint"])
			spec.Settings["endpoint"] = line.Addr
			l.try(t, spec, line)
		})
	}
}

func TestVault_BadLineToAzurite(t *testing.T) {
	t.Parallel()
	lines, api := badLines(t)
	specs := azurite(t)
	for _, l := range lines {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			spec := specs(t)
			line := s3test.NewLine(t, api, "127."+spec.Settings["domain"])
			_, port, err := net.SplitHostPort(line.Addr)
			if err != nil {
				t.Fatal(err)
			}
			spec.Settings["domain"] = strings.TrimPrefix(net.JoinHostPort("127.0.0.1", port), "127.")
			l.try(t, spec, line)
		})
	}
}

func TestVault_BadLineToGoogleBucket(t *testing.T) {
	lines, api := badLines(t)
	// Nothing runs beside this one, and a cut that lets a little through is
	// tried again for one and a half minutes.
	lines = slices.DeleteFunc(lines, func(l badLine) bool { return l.name == "cut while sending" })
	spec := googleBucket(t)
	host := os.Getenv("KVART_TEST_GCS")
	// fake-gcs-server answers only to its own name
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: host})
			r.Out.Host = host
			r.Out.Header.Set("X-Asked", r.In.Host)
		},
		ModifyResponse: func(resp *http.Response) error { // where an upload goes on
			if at := resp.Header.Get("Location"); at != "" {
				resp.Header.Set("Location", strings.Replace(at, host, resp.Request.Header.Get("X-Asked"), 1))
			}
			return nil
		},
		ErrorLog: log.New(io.Discard, "", 0), // cut lines are meant to be cut
	})
	t.Cleanup(proxy.Close)
	for _, l := range lines {
		t.Run(l.name, func(t *testing.T) {
			line := s3test.NewLine(t, api, strings.TrimPrefix(proxy.URL, "http://"))
			t.Setenv("STORAGE_EMULATOR_HOST", line.Addr)
			l.try(t, spec(t), line)
		})
	}
}
