package shopify

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"runtime"
	"sync"
	"time"

	"kvart/app"
	"kvart/connectors/rest"
)

// Kind is the kind of source this package reads.
const Kind app.Kind = "shopify"

// Options are what a platform shares with its process.
type Options struct {
	Log *slog.Logger
	// Temp is the folder for results of bulk operations; "" means the system's.
	Temp string

	// What tests put in the place of the world.
	loopback  string // address of a shop on this computer, in place of the real one
	transport http.RoundTripper
	nap       func(context.Context, time.Duration) error
	now       func() time.Time
}

// Platform is Shopify. It is safe for concurrent use.
type Platform struct {
	o      Options
	l      library
	broken error // of reading the library: a defect of this package's own
	specs  []spec
	byName map[string]spec

	mu      sync.Mutex
	sizes   map[string]int // records of one answer, where the usual was too dear
	clients map[opening]*client
}

var _ rest.Platform = (*Platform)(nil)

// NewPlatform returns Shopify.
func NewPlatform(o Options) *Platform {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	p := &Platform{o: o, specs: specs(), byName: map[string]spec{}, sizes: map[string]int{}, clients: map[opening]*client{}}
	p.l, p.broken = operations()
	for _, s := range p.specs {
		p.byName[s.Name] = s
	}
	return p
}

// New returns a connector for Shopify. dir is where copies of shops are kept, ""
// for one among the system's own caches.
func New(log *slog.Logger, dir string) *rest.Engine {
	return rest.New(NewPlatform(Options{Log: log, Temp: largeTemp()}), rest.Options{Dir: dir, Log: log})
}

// largeTemp is the folder for large temporary files. /tmp often lies in memory
// on Linux, where a shop's records don't belong.
func largeTemp() string {
	if runtime.GOOS == "linux" && os.Getenv("TMPDIR") == "" {
		if fi, err := os.Stat("/var/tmp"); err == nil && fi.IsDir() {
			return "/var/tmp"
		}
	}
	return os.TempDir()
}

// Spec implements [rest.Platform].
func (p *Platform) Spec() app.KindSpec {
	return app.KindSpec{Kind: Kind, Order: 2, Hosted: true, Fields: []app.Field{
		{Key: fieldShop, Type: app.FieldText, Required: true},
		{Key: fieldClientID, Type: app.FieldText},
		{Key: fieldClientSecret, Type: app.FieldSecret},
		{Key: fieldToken, Type: app.FieldSecret, Advanced: true},
		{Key: fieldRestoreID, Type: app.FieldText, Advanced: true},
		{Key: fieldRestoreSecret, Type: app.FieldSecret, Advanced: true},
		{Key: fieldRestoreToken, Type: app.FieldSecret, Advanced: true},
		{Key: fieldRestoreOrders, Type: app.FieldSwitch, Advanced: true},
	}}
}

// Kinds implements [rest.Platform].
func (p *Platform) Kinds() []rest.Kind {
	out := make([]rest.Kind, len(p.specs))
	for i, s := range p.specs {
		out[i] = s.Kind
	}
	return out
}

func (p *Platform) spec(kind string) spec { return p.byName[kind] }

// Open implements [rest.Platform].
func (p *Platform) Open(_ context.Context, a app.Access, write bool) (rest.Shop, error) {
	if p.broken != nil {
		return nil, fmt.Errorf("shopify: open: %w", p.broken)
	}
	cfg, err := readConfig(a, p.o.loopback)
	if err != nil {
		return nil, err
	}
	k := cfg.read
	if write {
		if k = cfg.restore; k.isZero() {
			return nil, app.Errorf(app.CodeSecretMissing, "shopify: open", "no key for restoring").
				With("field", fieldRestoreSecret).With("source", a.Source.Name)
		}
	}
	c, err := p.client(cfg, k)
	if err != nil {
		return nil, err
	}
	came := sync.OnceValue(func() time.Time { return time.Now().Add(c.rest.Skew()).Truncate(time.Second).Add(-time.Second) }) // it is told in whole seconds
	return &shop{p: p, c: c, l: p.l, log: p.o.Log, came: came, uploads: make(chan struct{}, parallel)}, nil
}

// opening is what opens a shop, as a key of a map that never leaves memory.
type opening struct{ base, id, secret, token string }

// client returns the one client of a shop and a key, so that its token and what
// was learned of costs last as long as the process.
func (p *Platform) client(cfg config, k key) (*client, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	o := opening{cfg.base, k.clientID, k.secret.Reveal(), k.token.Reveal()}
	if c := p.clients[o]; c != nil {
		return c, nil
	}
	c, err := newClient(cfg, k, p.o)
	if err == nil {
		p.clients[o] = c
	}
	return c, err
}

// kindOf is the kind of records of a GraphQL type, "" for none.
func (p *Platform) kindOf(typ string) string {
	switch typ {
	case "ProductVariant":
		return kindInventory
	case "MediaImage", "Video", "ExternalVideo", "Model3d", "GenericFile":
		return kindFiles
	}
	for _, s := range p.specs {
		if s.typ == typ {
			return s.Name
		}
	}
	return ""
}

// pageSize is how many records of a kind are asked for at once.
func (p *Platform) pageSize(s spec) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := p.sizes[s.Name]; n > 0 && n < s.page {
		return n
	}
	return s.page
}

// smaller halves it, after so many were too dear.
func (p *Platform) smaller(s spec, tried int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := p.sizes[s.Name]; n == 0 || n >= tried {
		p.sizes[s.Name] = max(1, tried/2)
	}
}
