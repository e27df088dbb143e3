package updates

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"kvart/app"
)

// publisher is a server with a signed feed and a file, whose answers a test
// can spoil.
type publisher struct {
	*httptest.Server
	t        *testing.T
	private  string
	settings app.UpdateSettings
	file     []byte
	feed     Feed

	mu      sync.Mutex
	doc     []byte
	sig     []byte
	asked   []string // of the file: the ranges
	spoiled func(w http.ResponseWriter, r *http.Request) bool
}

func newPublisher(t *testing.T) *publisher {
	t.Helper()
	public, private, err := NewKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	p := &publisher{t: t, private: private, file: make([]byte, 3*piece+77)}
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range p.file {
		p.file[i] = byte(rng.Uint32())
	}
	p.Server = httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(p.Close)
	p.settings = app.UpdateSettings{Feed: p.URL + "/feed.json", Key: public}
	sum := sha256.Sum256(p.file)
	p.feed = Feed{Form: 1, Serial: 7, Made: time.Now(), Version: "0.2.0", Files: []app.ReleaseFile{
		{System: "linux", Arch: "amd64", Kind: "tar.xz", Name: "kvart.tar.xz", URL: "kvart.tar.xz", Size: 9, SHA256: strings.Repeat("0", 64)},
		{System: "linux", Arch: "amd64", Kind: "deb", Name: "kvart_0.2.0_amd64.deb", URL: "files/kvart.deb", Size: int64(len(p.file)), SHA256: hex.EncodeToString(sum[:])},
		{System: "windows", Arch: "amd64", Kind: "exe", Name: "Kvart.exe", URL: "https://example.com/Kvart.exe", Size: 9, SHA256: strings.Repeat("0", 64)},
	}}
	p.publish()
	return p
}

// publish signs the feed as it is now.
func (p *publisher) publish() {
	p.t.Helper()
	doc, err := json.Marshal(p.feed)
	if err != nil {
		p.t.Fatal(err)
	}
	sig, err := Sign(doc, p.private)
	if err != nil {
		p.t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.doc, p.sig = doc, sig
}

func (p *publisher) serve(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	doc, sig, spoiled := p.doc, p.sig, p.spoiled
	if strings.HasPrefix(r.URL.Path, "/files/") {
		p.asked = append(p.asked, r.Header.Get("Range"))
	}
	p.mu.Unlock()
	if spoiled != nil && spoiled(w, r) {
		return
	}
	switch r.URL.Path {
	case "/feed.json":
		w.Write(doc)
	case "/feed.json.sig":
		w.Write(sig)
	case "/files/kvart.deb":
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(p.file))
	default:
		http.NotFound(w, r)
	}
}

// spoil changes what the server answers; nil mends it.
func (p *publisher) spoil(f func(w http.ResponseWriter, r *http.Request) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spoiled = f
}

func onLinux() *Updates {
	return New(Options{System: "linux", Arch: "amd64", Kinds: []string{"deb", "tar.xz"}, Timeout: 2 * time.Second, Stall: 300 * time.Millisecond})
}

func TestUpdates_Look(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	r, err := onLinux().Look(t.Context(), p.settings, 7)
	if err != nil {
		t.Fatal(err)
	}
	if r.Version != "0.2.0" || r.Serial != 7 || r.File.Kind != "deb" || r.File.URL != p.URL+"/files/kvart.deb" {
		t.Errorf("%+v", r)
	}
	r, err = New(Options{System: "linux", Arch: "arm64", Kinds: []string{"deb"}}).Look(t.Context(), p.settings, 0)
	if err != nil || r.Version != "0.2.0" || r.File.Name != "" {
		t.Errorf("%+v, %v for a computer that there is nothing for", r, err)
	}
}

// TestUpdates_Look_bad: whatever is not signed as it is, or can't be read, tells
// nothing.
func TestUpdates_Look_bad(t *testing.T) {
	t.Parallel()
	other := newPublisher(t)
	for name, c := range map[string]struct {
		want  app.Code
		spoil func(p *publisher)
	}{
		"another key":          {app.CodeUpdateForged, func(p *publisher) { p.settings.Key = other.settings.Key }},
		"no key":               {app.CodeUsage, func(p *publisher) { p.settings.Key = "" }},
		"a short key":          {app.CodeUsage, func(p *publisher) { p.settings.Key = "aGVq" }},
		"a bit turned":         {app.CodeUpdateForged, func(p *publisher) { p.doc = bytes.Replace(p.doc, []byte("0.2.0"), []byte("0.3.0"), 1) }},
		"cut off":              {app.CodeUpdateForged, func(p *publisher) { p.doc = p.doc[:len(p.doc)/2] }},
		"nothing":              {app.CodeUpdateForged, func(p *publisher) { p.doc = nil }},
		"no signature":         {app.CodeUpdateForged, func(p *publisher) { p.sig = nil }},
		"half a signature":     {app.CodeUpdateForged, func(p *publisher) { p.sig = p.sig[:20] }},
		"another's signature":  {app.CodeUpdateForged, func(p *publisher) { p.sig = other.sig }},
		"signed as bare bytes": {app.CodeUpdateForged, func(p *publisher) { p.sig = bare(t, p) }},
		"older than seen":      {app.CodeUpdateOld, func(p *publisher) { p.feed.Serial = 6; p.publish() }},
		"a feed without end": {app.CodeUpdateFeed, func(p *publisher) {
			p.doc = append(p.doc, bytes.Repeat([]byte(" "), feedBound)...)
		}},
		"a signature without end": {app.CodeUpdateFeed, func(p *publisher) { p.sig = bytes.Repeat([]byte("A"), signatureBound+1) }},
		"not there":               {app.CodeUpdateFeed, func(p *publisher) { p.settings.Feed = p.URL + "/nothing" }},
		"nobody there":            {app.CodeUpdateFeed, func(p *publisher) { p.Close() }},
		"an answer that never ends": {app.CodeUpdateFeed, func(p *publisher) {
			p.spoiled = func(w http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true }
		}},
		"led to where anybody listens": {app.CodeUpdateFeed, func(p *publisher) {
			p.spoiled = func(w http.ResponseWriter, r *http.Request) bool {
				http.Redirect(w, r, "http://example.com/feed.json", http.StatusFound)
				return true
			}
		}},
		"without encryption": {app.CodeUsage, func(p *publisher) { p.settings.Feed = "http://example.com/feed.json" }},
		"a file":             {app.CodeUsage, func(p *publisher) { p.settings.Feed = "file:///etc/passwd" }},
		"with a password":    {app.CodeUsage, func(p *publisher) { p.settings.Feed = "https://a:b@example.com/feed.json" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPublisher(t)
			p.mu.Lock()
			spoil := c.spoil
			p.mu.Unlock()
			spoil(p)
			r, err := onLinux().Look(t.Context(), p.settings, 7)
			if app.CodeOf(err) != c.want || r.Version != "" {
				t.Errorf("%+v, %v; want %s", r, err, c.want)
			}
		})
	}
}

// bare signs a feed without saying what the signature is about.
func bare(t *testing.T, p *publisher) []byte {
	t.Helper()
	seed, err := base64.StdEncoding.DecodeString(p.private)
	if err != nil {
		t.Fatal(err)
	}
	return []byte(base64.StdEncoding.EncodeToString(ed25519.Sign(ed25519.NewKeyFromSeed(seed), p.doc)))
}

// TestOpen_signedAndYetWrong: a signature is no leave to write anywhere.
func TestOpen_signedAndYetWrong(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	for name, change := range map[string]func(f *Feed){
		"a later form":    func(f *Feed) { f.Form = 2 },
		"no serial":       func(f *Feed) { f.Serial = 0 },
		"no version":      func(f *Feed) { f.Version = "newest" },
		"a path":          func(f *Feed) { f.Files[0].Name = "../../.bashrc" },
		"a Windows path":  func(f *Feed) { f.Files[0].Name = `..\x.exe` },
		"hidden":          func(f *Feed) { f.Files[0].Name = ".profile" },
		"half":            func(f *Feed) { f.Files[0].Name = "kvart.part" },
		"too large":       func(f *Feed) { f.Files[0].Size = LargestFile + 1 },
		"a negative size": func(f *Feed) { f.Files[0].Size = -1 },
		"no sum":          func(f *Feed) { f.Files[0].SHA256 = "" },
	} {
		f := p.feed
		f.Files = append([]app.ReleaseFile{}, p.feed.Files...)
		change(&f)
		doc, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Sign(doc, p.private); err == nil {
			t.Errorf("%s is signed", name)
		}
		seed, err := base64.StdEncoding.DecodeString(p.private)
		if err != nil {
			t.Fatal(err)
		}
		priv := ed25519.NewKeyFromSeed(seed)
		sig := base64.StdEncoding.EncodeToString(ed25519.Sign(priv, append([]byte(about), doc...)))
		if _, err := Open(doc, []byte(sig), priv.Public().(ed25519.PublicKey)); app.CodeOf(err) != app.CodeUpdateFeed {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUpdates_Newer(t *testing.T) {
	t.Parallel()
	order := []string{"0.1.0-rc.2", "0.1.0-rc.10", "0.1.0", "0.1.1", "0.2.0", "0.10.0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-beta", "v1.0.0"}
	u := onLinux()
	for i, a := range order {
		for j, b := range order {
			if got := u.Newer(a, b); got != (i > j) {
				t.Errorf("%s newer than %s: %v", a, b, got)
			}
		}
	}
	for _, bad := range []string{"", "1", "1.2", "1.2.x", "9999999.0.0", "1.2.3 "} {
		if u.Newer(bad, "0.1.0") || u.Newer("9.0.0", bad) {
			t.Errorf("%q is compared", bad)
		}
	}
}

func TestPrivate(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"https://example.com/f": true, "http://127.0.0.1:80/f": true, "http://[::1]/f": true, "http://localhost/f": true,
		"http://example.com/f": false, "http://localhost.example.com/f": false, "ftp://example.com/f": false, "": false, "https:///f": false,
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if private(u) != want {
			t.Errorf("%s: %v", address, !want)
		}
	}
}
