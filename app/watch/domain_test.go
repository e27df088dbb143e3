package watch

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"kvart/app"
)

// registries is IANA's list and the registry of .se, on loopback.
type registries struct {
	answer func(w http.ResponseWriter)

	mu    sync.Mutex
	asked []string
}

func (r *registries) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	r.asked = append(r.asked, q.URL.Path)
	r.mu.Unlock()
	if q.URL.Path == "/dns.json" {
		own := "http://" + q.Host + "/rdap/"
		_, _ = io.WriteString(w, `{"version":"1.0","services":[[["no"],["https://rdap.norid.example/"]],[["se","nu"],["ftp://old.example/","`+own+`"]],[["dk"],["http://listened.example/"]]]}`)
		return
	}
	r.answer(w)
}

const rdapAnswer = `{"objectClassName":"domain","ldhName":"kopp.se","events":[
	{"eventAction":"registration","eventDate":"2011-02-03T00:00:00Z"},{"eventAction":"expiration","eventDate":"2027-02-03T12:00:00Z"}]}`

func TestDomain(t *testing.T) {
	t.Parallel()
	says := func(status int, text string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/rdap+json")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, text)
		}
	}
	until := time.Date(2027, 2, 3, 12, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		url    string
		answer func(http.ResponseWriter)
		until  time.Time
		err    app.Code
		asked  string
	}{
		"known":          {"https://www.kopp.se/butik?x=1", says(200, rdapAnswer), until, "", "/dns.json /rdap/domain/kopp.se"},
		"does not tell":  {"https://kopp.se", says(200, `{"ldhName":"KOPP.SE.","events":[]}`), time.Time{}, "", "/dns.json /rdap/domain/kopp.se"},
		"not there":      {"https://kopp.se", says(404, "{}"), time.Time{}, "", "/dns.json /rdap/domain/kopp.se"},
		"too many asked": {"https://kopp.se", says(429, "{}"), time.Time{}, app.CodeDomainUnknown, "/dns.json /rdap/domain/kopp.se"},
		"not JSON":       {"https://kopp.se", says(200, "<html>"), time.Time{}, app.CodeDomainUnknown, "/dns.json /rdap/domain/kopp.se"},
		"cut":            {"https://kopp.se", says(200, rdapAnswer[:40]), time.Time{}, app.CodeDomainUnknown, "/dns.json /rdap/domain/kopp.se"},
		"about another":  {"https://kaffe.se", says(200, rdapAnswer), time.Time{}, app.CodeDomainUnknown, "/dns.json /rdap/domain/kaffe.se"},
		"no day":         {"https://kopp.se", says(200, strings.ReplaceAll(rdapAnswer, "2027-02-03", "later")), time.Time{}, "", "/dns.json /rdap/domain/kopp.se"},
		"sent to plain http": {"https://kopp.se", func(w http.ResponseWriter) {
			w.Header().Set("Location", "http://listened.example/")
			w.WriteHeader(http.StatusFound)
		}, time.Time{}, app.CodeDomainUnknown, "/dns.json /rdap/domain/kopp.se"},
		"a registry that does not answer":  {"https://kopp.fi", nil, time.Time{}, "", "/dns.json"},
		"one that anybody could listen to": {"https://kopp.dk", nil, time.Time{}, "", "/dns.json"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &registries{answer: tt.answer}
			at := page(t, r)
			w := New(Options{Bootstrap: at + "/dns.json", PlainHosts: []string{strings.TrimPrefix(at, "http://")}})
			d := w.Domain(t.Context(), app.StorefrontSettings{URL: tt.url})
			if d == nil || !d.Until.Equal(tt.until) || codeOf(d.Error) != tt.err {
				t.Fatalf("%+v", d)
			}
			if got := strings.Join(r.asked, " "); got != tt.asked {
				t.Errorf("asked %s, want %s", got, tt.asked)
			}
		})
	}
}

func codeOf(e *app.Error) app.Code {
	if e == nil {
		return ""
	}
	return e.Code
}

func TestDomain_nobodyIsAskedAboutWhatNobodyRegisters(t *testing.T) {
	t.Parallel()
	r := &registries{}
	w := New(Options{Bootstrap: page(t, r) + "/dns.json"})
	for _, host := range []string{"127.0.0.1", "[::1]", "localhost", "kassan", "bjornbar.myshopify.com", "kopp.github.io", "se"} {
		if d := w.Domain(t.Context(), app.StorefrontSettings{URL: "https://" + host}); d != nil {
			t.Errorf("%s: %+v", host, d)
		}
	}
	if len(r.asked) > 0 {
		t.Errorf("asked %v", r.asked)
	}
}

func TestRegistered(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{
		"kopp.se": "kopp.se", "www.kopp.se": "kopp.se", "WWW.Kopp.SE.": "kopp.se", "butik.kopp.co.uk": "kopp.co.uk", "kaffé.se": "xn--kaff-epa.se", "kopp.nu": "kopp.nu",
	} {
		if got := registered(host); got != want {
			t.Errorf("%s: %q, want %q", host, got, want)
		}
	}
}
