//go:build unix

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"kvart/app"
	"kvart/app/ipc"
)

// partRecovery is a whole shop, destroyed and brought back. It is measured only
// when it is asked for.
const partRecovery = "recovery"

// demoShop is the name in the report.
const demoShop = "Kafferosteriet Björnbär"

// recoveryPart is a whole shop: a till, a database on a server, pictures, an
// online shop and a page for customers.
type recoveryPart struct {
	*bench
	dir    string // the shop's folder
	report string // file to write the report to, "" for none
	till   *tillData
	pics   *pictures
	maria  *shopPart
	web    *online
	front  *frontPage
	client *ipc.Client
	sums   map[string]string // of what was there before
}

// recovery destroys a whole shop and brings it back through an incident. What
// the shop's people do between two steps takes no time here.
func (b *bench) recovery(ctx context.Context) (err error) {
	p := &recoveryPart{bench: b, dir: cmp.Or(b.shopDir, filepath.Join(b.dir, "Butiken")), report: b.report, front: &frontPage{}}
	if err := os.Mkdir(p.dir, 0o700); err != nil { // never one that is there
		return fmt.Errorf("make shop: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(p.dir)) }()
	b.shop, b.home = demoShop, filepath.Join(p.dir, "Kvart")
	defer func() { b.shop, b.home = "", "" }()
	server := &mariaServer{served: served{dir: filepath.Join(b.dir, "mariadb")}}
	defer func() { err = errors.Join(err, server.stop()) }()
	if err := server.begin(ctx); err != nil {
		return err
	}
	p.maria = &shopPart{bench: b, name: "MariaDB", server: server, data: newShopData(b.scale, b.seed)}
	if err := p.make(ctx); err != nil {
		return err
	}
	front, err := p.front.serve()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, front.Close()) }()
	if err := p.protect(ctx, front.Addr); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.web.close()) }()
	defer p.client.Close()
	return p.badDay(ctx)
}

// make makes everything that lies on this computer.
func (p *recoveryPart) make(ctx context.Context) error {
	p.say("recovery: making a shop: a till of %.0f MB, a database of %.0f MB, %d pictures", 1000*p.scale, 500*p.scale, p.count(demoPictures))
	p.till = &tillData{file: filepath.Join(p.dir, "Kassa", "kassa.db"), sales: int(tillSales * p.scale), seed: p.seed}
	p.pics = &pictures{dir: filepath.Join(p.dir, "Bilder"), seed: p.seed}
	if err := os.Mkdir(filepath.Dir(p.till.file), 0o700); err != nil {
		return fmt.Errorf("make shop: %w", err)
	}
	if err := p.till.make(ctx); err != nil {
		return err
	}
	if err := p.pics.make(p.count(demoPictures)); err != nil {
		return err
	}
	return p.maria.fill(ctx)
}

func (p *recoveryPart) count(of int) int { return max(int(float64(of)*p.scale), 2) }

// protect starts the online shop and the guard, and backs everything up.
func (p *recoveryPart) protect(ctx context.Context, page string) (err error) {
	p.web, err = p.online(ctx, partWoo, "WooCommerce", func(at where) ([]string, error) {
		key, err := p.secret("woo-password", "abcd EFGH ijkl MNOP qrst UVWX")
		return []string{"woocommerce", "--name", "Webben", "--set", "url=" + at.URL, "--set", "user=kvart", "--secret", "password=" + key}, err
	})
	if err != nil {
		return err
	}
	if err := p.guarded(ctx, page); err != nil {
		return errors.Join(err, p.web.close())
	}
	return nil
}

func (p *recoveryPart) guarded(ctx context.Context, page string) error {
	for _, source := range [][]string{
		{"sqlite", "--name", "Kassan", "--set", "path=" + p.till.file},
		{"folder", "--name", "Bilder", "--set", "path=" + p.pics.dir},
		p.maria.server.source(),
	} {
		if err := p.web.do(ctx, nil, append([]string{"source", "add"}, source...)...); err != nil {
			return err
		}
	}
	socket, err := ipc.SocketPath(p.web.data, os.TempDir())
	if err != nil {
		return fmt.Errorf("find guard: %w", err)
	}
	p.client = ipc.Dial(socket, app.Version)
	set, err := p.client.WatchSettings(ctx)
	if err != nil {
		return err
	}
	set.Storefront = &app.StorefrontSettings{URL: "http://" + page, Word: frontWord}
	if _, err := p.client.SetWatch(ctx, app.WatchRequest{Settings: set}); err != nil {
		return err
	}
	if err := p.web.tell(ctx, "settle", 0); err != nil {
		return err
	}
	p.say("recovery: the first backup of everything")
	var out ran
	if err := p.web.do(ctx, &out, "backup"); err != nil {
		return err
	}
	for _, r := range out.Runs {
		if r.State != "done" {
			return fmt.Errorf("%s: backup %s", r.Source, r.State)
		}
		p.say("recovery: %s backed up in %.0f s", r.Source, r.Seconds)
	}
	return nil
}

// badDay destroys the shop, follows the playbook, and proves what came back.
func (p *recoveryPart) badDay(ctx context.Context) error {
	var err error
	if p.sums, err = p.state(ctx); err != nil {
		return err
	}
	p.say("recovery: destroying everything")
	if err := p.destroy(ctx); err != nil {
		return err
	}
	p.say("recovery: bringing it back")
	i, err := p.follow(ctx)
	if err != nil {
		return err
	}
	now, err := p.state(ctx)
	if err != nil {
		return err
	}
	for what, sum := range p.sums {
		if now[what] != sum {
			return fmt.Errorf("%s is not as it was", what)
		}
	}
	if err := p.tellParts(ctx, i); err != nil {
		return err
	}
	if p.report == "" {
		return nil
	}
	paper, err := p.client.IncidentReport(ctx, app.ReportRequest{Incident: i.ID, Format: app.ReportPDF, Language: "en"})
	if err != nil {
		return err
	}
	if err := os.WriteFile(p.report, paper, 0o644); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// follow goes through the playbook as the shop's owner does.
func (p *recoveryPart) follow(ctx context.Context) (i app.Incident, err error) {
	if _, err = p.client.StartIncident(ctx, app.IncidentRequest{
		Playbook: app.PlaybookHacked, Note: "A note on every screen in the morning: the till does not start, the pictures are gone, the web shop sells everything for 1 krona.",
	}); err != nil {
		return i, err
	}
	for _, step := range []app.StepCode{
		"unplug", "photograph", "other-device", "pause-orders", "publish", "police", "imy", "passwords", "clean", "confirm", "open-again", "withdraw", "enter-sales", "customers", "report",
	} {
		if i, err = p.client.WaitIncident(ctx); err != nil {
			return i, err
		}
		if err := stuck(i); err != nil {
			return i, err
		}
		if step == "open-again" {
			p.front.open()
		}
		if _, err = p.client.TickStep(ctx, app.TickRequest{Step: step}); err != nil {
			return i, fmt.Errorf("tick %s: %w", step, err)
		}
	}
	if _, err = p.client.WaitIncident(ctx); err != nil {
		return i, err
	}
	if i, err = p.client.CloseIncident(ctx); err != nil {
		return i, err
	}
	if i.Back.IsZero() {
		return i, errors.New("the shop does not answer in the end")
	}
	return i, stuck(i)
}

// stuck returns why a step did not work, or could not be judged.
func stuck(i app.Incident) error {
	for _, s := range i.Steps {
		if s.State == app.StepFailed || s.State == app.StepOpen && s.Look && s.Blocking {
			return fmt.Errorf("step %s is %s: %w, %v", s.Code, s.State, s.Error, s.Facts)
		}
	}
	return nil
}

// tellParts puts the incident's time and its parts into the table.
func (p *recoveryPart) tellParts(ctx context.Context, i app.Incident) error {
	recs, err := p.client.Restores(ctx)
	if err != nil {
		return err
	}
	if len(recs) != 1 || recs[0].State != app.RestoreDone {
		return fmt.Errorf("%d restores, not one that is done", len(recs))
	}
	rec := recs[0]
	p.table.alone("a whole shop back, by the incident's own clock", inSeconds, i.Seconds, app.RestoreGoal.Seconds())
	p.table.alone("of that, the restore with its checks", inSeconds, rec.Took().Seconds(), app.RestoreGoal.Seconds())
	p.table.plain("choosing the point, and comparing it with what is left", inSeconds, lasted(i, "storage", "point", "compare"))
	p.table.plain("planning the restore", inSeconds, rec.Started.Sub(rec.Asked).Seconds())
	p.table.plain("saving what was left, 4 sources", inSeconds, rec.Saved.Sub(rec.Started).Seconds())
	for _, s := range rec.Sources {
		p.table.plain(s.Source+", put back", inSeconds, s.Seconds)
	}
	for _, s := range rec.Sources {
		p.table.plain(s.Source+", checked", inSeconds, s.CheckSeconds)
	}
	p.table.plain("all checks, two at a time", inSeconds, rec.Ended.Sub(rec.Applied).Seconds())
	p.table.plain("the page for customers asked for", inSeconds, lasted(i, "storefront"))
	return nil
}

// lasted adds up how long steps of Kvart's were under way.
func lasted(i app.Incident, steps ...app.StepCode) (seconds float64) {
	begun := map[app.StepCode]float64{}
	for _, l := range i.Log {
		for _, s := range steps {
			switch {
			case l.Step != s:
			case l.Event == app.LogStarted:
				begun[s] = l.Seconds
			case l.Event == app.LogDone || l.Event == app.LogLook || l.Event == app.LogUndone:
				seconds += l.Seconds - begun[s]
			}
		}
	}
	return seconds
}

// frontWord is on the shop's page.
const frontWord = "kaffe"

// frontPage is the shop's page for customers.
type frontPage struct {
	opened chan struct{}
}

// frontServer is a page's server.
type frontServer struct {
	*http.Server
	Addr string
}

func (f *frontPage) open() { close(f.opened) }

func (f *frontPage) serve() (frontServer, error) {
	f.opened = make(chan struct{})
	l, err := listen()
	if err != nil {
		return frontServer{}, err
	}
	s := &http.Server{Handler: f, ReadHeaderTimeout: time.Minute}
	go func() { _ = s.Serve(l) }() // ends with the server
	return frontServer{s, l.Addr().String()}, nil
}

// ServeHTTP implements [http.Handler].
func (f *frontPage) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	select {
	case <-f.opened:
		fmt.Fprint(w, strings.Repeat("<p>Nyrostat "+frontWord+"</p>", 100))
	default:
		http.Error(w, "Error establishing a database connection", http.StatusInternalServerError)
	}
}
