package webhotel

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"kvart/app"
)

const backSoon = "<!doctype html><title>Strax tillbaka</title><p>Vi ses snart igen.</p>"

// ruleTexts are rules as they lie on sites.
var ruleTexts = map[string]string{
	"as WordPress writes them": "# BEGIN WordPress\nRewriteEngine On\nRewriteBase /\nRewriteRule . /index.php [L]\n# END WordPress\n",
	"from Windows":             "\xef\xbb\xbfDeny from nobody\r\nOptions -Indexes\r\n",
	"without an end of line":   "Options -Indexes",
	"empty":                    "",
	"in a folder":              "RewriteEngine on\nRewriteRule . - [E=REWRITEBASE:/butik/]\n",
}

func TestUnsigned(t *testing.T) {
	t.Parallel()
	for name, text := range ruleTexts {
		now := signed([]byte(text), sign([]byte(text), app.PageName))
		plain, part := unsigned(now)
		if string(plain) != text || len(part) == 0 || !strings.HasPrefix(strings.TrimPrefix(string(now), string(bom)), signBegin) {
			t.Errorf("%s: %q of %q", name, plain, now)
		}
		if plain, part := unsigned([]byte(text)); string(plain) != text || part != nil {
			t.Errorf("%s: %q, %q of rules that have none", name, plain, part)
		}
	}
	for _, text := range []string{signBegin + "and no end", "x " + signBegin + signEnd, "# BEGIN Kvart", signBegin + "x " + signEnd, signBegin + strings.TrimSpace(signEnd) + " too"} {
		if plain, part := unsigned([]byte(text)); string(plain) != text || part != nil {
			t.Errorf("%q: took %q", text, part)
		}
	}
}

func TestSign_address(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "/kvart-back-soon.html", "RewriteBase /": "/kvart-back-soon.html", "  rewritebase /shop/": "/shop/kvart-back-soon.html",
		ruleTexts["in a folder"]: "/butik/kvart-back-soon.html", "# RewriteBase /no/": "/kvart-back-soon.html",
	} {
		got := regexp.MustCompile(`ErrorDocument 503 (\S+)`).FindStringSubmatch(string(sign([]byte(text), app.PageName)))
		if got == nil || got[1] != want {
			t.Errorf("%q: %q, want %s", text, got, want)
		}
	}
}

// published is a site with rules, and the page put up on it.
type published struct {
	*testing.T
	site   string // its folder
	c      *Connector
	a      app.Access
	before string // what lay there
	see    func(*testing.T, string) string
}

func (p *published) publish() {
	p.Helper()
	if err := p.c.Publish(p.Context(), p.a, app.PageName, []byte(backSoon)); err != nil {
		p.Fatalf("publish: %+v", err)
	}
}

func (p *published) withdraw() {
	p.Helper()
	if err := p.c.Withdraw(p.Context(), p.a, app.PageName); err != nil {
		p.Fatalf("withdraw: %+v", err)
	}
}

func (p *published) read(name string) string {
	p.Helper()
	b, err := os.ReadFile(filepath.Join(p.site, name))
	if err != nil {
		p.Fatal(err)
	}
	return string(b)
}

// up makes sure that the page is up, once.
func (p *published) up(rules string) {
	p.Helper()
	text := p.read(rulesFile)
	if plain, part := unsigned([]byte(text)); string(plain) != rules || part == nil || strings.Count(text, signBegin) != 1 {
		p.Errorf("rules: %q", text)
	}
	if got := p.read(app.PageName); got != backSoon {
		p.Errorf("page: %q", got)
	}
}

// down makes sure that all is as it was.
func (p *published) down() {
	p.Helper()
	if got := p.see(p.T, p.site); got != p.before {
		p.Errorf("afterwards:\n%s\nbefore:\n%s", got, p.before)
	}
}

// sites runs a test on sites of every kind, with some rules.
func sites(t *testing.T, rules string, test func(*published)) {
	t.Helper()
	for name, habits := range map[string]func(*ftpPeer){
		"SFTP": nil, "FTPS": func(*ftpPeer) {}, "FTPS in minutes": func(s *ftpPeer) { s.mlsd, s.zone = false, 2*time.Hour }, "FTPS, one connection": func(s *ftpPeer) { s.most = 1 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			p := &published{T: t, site: filepath.Join(dir, "site"), c: quick(t, &fakeDB{}), see: content}
			shopSite(t, p.site, false)
			put1(t, filepath.Join(p.site, rulesFile), rules, past)
			if habits == nil {
				p.a = serveSFTP(t).site(t, p.site)
			} else {
				_, p.a = serveFTP(t, dir, habits)
			}
			if strings.HasSuffix(name, "minutes") {
				p.see = timeless
			}
			p.before = p.see(t, p.site)
			test(p)
		})
	}
}

func TestConnector_Publish(t *testing.T) {
	t.Parallel()
	for name, text := range ruleTexts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sites(t, text, func(p *published) {
				p.publish()
				p.up(text)
				p.publish()
				p.up(text)
				p.withdraw()
				p.down()
				p.withdraw()
				p.down()
			})
		})
	}
}

// What is Kvart's own is never the site's: no point holds it, a quarter in which
// only it moved is idle, and a restore leaves the page up.
func TestConnector_Publish_backedUpAndRestored(t *testing.T) {
	t.Parallel()
	rules := ruleTexts["as WordPress writes them"]
	sites(t, rules, func(p *published) {
		before, _, marker := point(p.T, p.c, p.a)
		p.publish()
		if cp := capture1(p.T, p.c, p.a, marker); !cp.Idle {
			p.Error("the page moved the site")
		}
		during, stats, _ := point(p.T, p.c, p.a)
		if a, b := timeless(p.T, before), timeless(p.T, during); a != b {
			p.Errorf("captured while the page is up:\n%s\nwant:\n%s", b, a)
		}
		put1(p.T, filepath.Join(p.site, "index.php"), "<?php // evil", time.Now())
		put1(p.T, filepath.Join(p.site, rulesFile), p.read(rulesFile)+"RewriteRule ^ https://evil.example/ [R]\n", time.Now())
		restore(p.T, p.c, app.Restore{Access: p.a, From: os.DirFS(during), Stats: stats})
		p.up(rules)
		if got := p.read("index.php"); got != "<?php // shop" {
			p.Errorf("restored %q", got)
		}
		p.withdraw()
		p.down()
	})
}

// Cut off anywhere, it is done again and ends well: in either direction.
func TestConnector_Publish_killed(t *testing.T) {
	t.Parallel()
	rules := ruleTexts["as WordPress writes them"]
	for _, step := range []string{"page", "written"} {
		t.Run("put up, "+step, func(t *testing.T) {
			t.Parallel()
			sites(t, rules, func(p *published) {
				stopAt(p.c, step)
				if err := p.c.Publish(p.Context(), p.a, app.PageName, []byte(backSoon)); !errors.Is(err, errStopped) {
					p.Fatalf("publish: %v", err)
				}
				if got := p.read(rulesFile); got != rules {
					p.Errorf("rules changed half way: %q", got)
				}
				p.publish()
				p.up(rules)
				p.withdraw()
				p.down()
			})
		})
	}
	for _, step := range []string{"written", "rules"} {
		t.Run("taken down, "+step, func(t *testing.T) {
			t.Parallel()
			sites(t, rules, func(p *published) {
				p.publish()
				stopAt(p.c, step)
				if err := p.c.Withdraw(p.Context(), p.a, app.PageName); !errors.Is(err, errStopped) {
					p.Fatalf("withdraw: %v", err)
				}
				p.withdraw()
				p.down()
			})
		})
	}
	// A server that replaces nothing takes the old rules away first.
	t.Run("without any rules", func(t *testing.T) {
		t.Parallel()
		sites(t, rules, func(p *published) {
			p.publish()
			stopAt(p.c, "written")
			if err := p.c.Withdraw(p.Context(), p.a, app.PageName); !errors.Is(err, errStopped) {
				p.Fatalf("withdraw: %v", err)
			}
			if err := os.Remove(filepath.Join(p.site, rulesFile)); err != nil {
				p.Fatal(err)
			}
			p.withdraw()
			p.down()
		})
	})
}

// Where Kvart can't tell that a server follows such rules, the page lies there,
// and that it is not shown is said.
func TestConnector_Publish_beside(t *testing.T) {
	t.Parallel()
	sites(t, "", func(p *published) {
		if err := os.Remove(filepath.Join(p.site, rulesFile)); err != nil {
			p.Fatal(err)
		}
		p.before = p.see(p.T, p.site)
		for range 2 {
			wantCode(p.T, p.c.Publish(p.Context(), p.a, app.PageName, []byte(backSoon)), app.CodePageBeside)
		}
		if got := p.read(app.PageName); got != backSoon {
			p.Errorf("page: %q", got)
		}
		dir, _, _ := point(p.T, p.c, p.a)
		if _, err := os.Stat(filepath.Join(dir, "files", app.PageName)); !errors.Is(err, os.ErrNotExist) {
			p.Errorf("the page is in the backup: %v", err)
		}
		p.withdraw()
		p.down()
	})
}

func TestConnector_Publish_refused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shopSite(t, filepath.Join(dir, "site"), false)
	s := serveSFTP(t)
	s.readOnly.Store(true)
	closed := s.site(t, filepath.Join(dir, "site"))
	_, full := serveFTP(t, dir, func(s *ftpPeer) { s.full = true })
	gone := serveSFTP(t)
	nobody := gone.site(t, dir)
	_ = gone.l.Close()
	before := content(t, dir)
	c := quick(t, &fakeDB{})
	for _, tt := range []struct {
		name string
		a    app.Access
		want app.Code
	}{{"no right to write", closed, app.CodeTargetReadOnly}, {"no room", full, app.CodeTargetFull}, {"nobody there", nobody, app.CodeSourceOffline}} {
		if err := c.Publish(t.Context(), tt.a, app.PageName, []byte(backSoon)); app.CodeOf(err) != tt.want {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
	}
	if got := content(t, dir); got != before {
		t.Errorf("the site was changed:\n%s\nbefore:\n%s", got, before)
	}
	if err := c.Withdraw(t.Context(), closed, app.PageName); err != nil {
		t.Errorf("withdraw where nothing is: %v", err)
	}
}
