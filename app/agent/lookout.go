package agent

import (
	"context"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"kvart/app"
)

// Lookout is what the guard watches over the shop with.
type Lookout interface {
	app.Judge
	Canaries
	Eye
	Courier
	Calendar
	Gauge
	Registrar
}

// Gauge puts the shop to the test.
type Gauge interface {
	// PlatformOf names the platform that others run a shop on, by its address;
	// "" where that shows none.
	PlatformOf(s app.StorefrontSettings) string
	// ProofPlace says where to place a token on the shop's site.
	ProofPlace(s app.StorefrontSettings, token string) (file, meta string, err error)
	// FindProof looks for a token there: "file", "meta", or "" for nowhere. An
	// error means that the site did not answer.
	FindProof(ctx context.Context, s app.StorefrontSettings, token string) (way string, err error)
	// Rehearse sends visitors as [app.CapacityService] has it. An error means
	// that none was sent.
	Rehearse(ctx context.Context, r app.CapacityRun) (app.CapacityResult, error)
	// VisitorAgent is what these visitors call themselves.
	VisitorAgent() string
}

// Registrar asks when domains expire.
type Registrar interface {
	// Domain returns nil where there is nothing to ask about.
	Domain(ctx context.Context, s app.StorefrontSettings) *app.DomainStatus
}

// Canaries keeps a file of Kvart's own in folders.
type Canaries interface {
	PlantCanary(dir string) error
	LiftCanary(dir string) error
	LookCanary(dir string) app.CanaryState
}

// Eye looks at the storefront.
type Eye interface {
	CheckStorefront(s app.StorefrontSettings) error
	Probe(ctx context.Context, s app.StorefrontSettings) app.StorefrontProbe
	// Reach reports whether anything answers at a host and port.
	Reach(ctx context.Context, address string) bool
}

// Courier carries alerts. Secrets are asked for by their key, as in
// [app.Channel]; one that is not there is zero.
type Courier interface {
	CheckChannel(c app.Channel, secret func(key string) app.Secret) (app.Channel, error)
	Send(ctx context.Context, c app.Channel, secret func(key string) app.Secret, a app.Alert) error
	// Witness returns a host and port that the channel uses; "" for none.
	Witness(c app.Channel, address app.Secret) string
	CheckBeat(address app.Secret) (host string, err error)
	Beat(ctx context.Context, address app.Secret) error
}

// Calendar knows the trade's days.
type Calendar interface {
	CheckDays(country string, own []app.OwnDay) error
	PeakDays(country string, own []app.OwnDay, from, to time.Time) ([]app.PeakDay, error)
}

// lookout is what the guard remembers of watching while it runs.
type lookout struct {
	wake chan struct{} // there are alerts to deliver

	mu sync.Mutex
	front
	mailroom
}

func newLookout() *lookout {
	return &lookout{wake: make(chan struct{}, 1), mailroom: mailroom{
		channels: map[string]app.ChannelStatus{}, absent: map[string]time.Time{},
	}}
}

// Keys of secrets.
const heartbeatSecret = "watch.heartbeat"

func channelKey(channel, key string) string { return "watch.channel." + channel + "." + key }

// secretOf returns what hands out a channel's secrets. A store that does not
// answer hands out nothing, and what needs it fails and is tried again.
func (a *Agent) secretOf(ctx context.Context, channel string) func(string) app.Secret {
	return func(key string) app.Secret {
		s, err := a.Secrets.Secret(ctx, channelKey(channel, key))
		if err != nil && app.CodeOf(err) != app.CodeSecretMissing {
			a.Log.WarnContext(ctx, "Secret of a channel not read", "channel", channel, "error", err)
		}
		return s
	}
}

// WatchSettings implements [app.WatchService].
func (a *Agent) WatchSettings(context.Context) (app.WatchSettings, error) {
	return a.Store.Document().Watch, nil
}

// SetWatch implements [app.WatchService]. Everything is looked at before
// anything is changed.
func (a *Agent) SetWatch(ctx context.Context, r app.WatchRequest) (app.WatchSettings, error) {
	if a.Lookout == nil {
		return app.WatchSettings{}, app.Errorf(app.CodeInternal, "change watch", "nothing to watch with")
	}
	was := a.Store.Document().Watch
	next, err := a.checkWatch(ctx, was, r)
	if err != nil {
		return was, err
	}
	if err := a.keepWatchSecrets(ctx, was, next, r.Secrets); err != nil {
		return was, err
	}
	if err := a.forgetDelivered(ctx, was, next, r.Secrets); err != nil {
		return was, err
	}
	if err := a.moveCanaries(was.Canaries, next.Canaries); err != nil {
		return was, err
	}
	if err := a.Store.Update(func(d *Document) error { d.Watch = next; return nil }); err != nil {
		return was, err
	}
	if !sameFront(was.Storefront, next.Storefront) {
		if err := a.leaveFront(ctx); err != nil {
			return next, err
		}
	}
	a.poke()
	return next, nil
}

// poke has watchers told, and letters delivered.
func (a *Agent) poke() {
	select {
	case a.lookout.wake <- struct{}{}:
	default:
	}
	a.bus.poke()
}

// checkWatch returns settings as they are to be kept.
func (a *Agent) checkWatch(ctx context.Context, was app.WatchSettings, r app.WatchRequest) (app.WatchSettings, error) {
	const op = "change watch"
	next := r.Settings
	next.Heartbeat = was.Heartbeat
	if next.Storefront != nil {
		if err := a.Lookout.CheckStorefront(*next.Storefront); err != nil {
			return next, err
		}
	}
	if s, given := r.Secrets[app.HeartbeatKey]; given {
		next.Heartbeat = ""
		if !s.IsZero() {
			host, err := a.Lookout.CheckBeat(s)
			if err != nil {
				return next, err
			}
			next.Heartbeat = host
		}
	}
	var err error
	if next.Channels, err = a.checkChannels(ctx, r); err != nil {
		return next, err
	}
	next.Canaries = nil
	for _, name := range r.Settings.Canaries {
		s, err := a.Store.Document().source(name)
		if err != nil {
			return next, err
		}
		if a.folderOf(s) == "" {
			return next, app.Errorf(app.CodeUsage, op, "%s is no folder", name).With("field", "canaries")
		}
		next.Canaries = append(next.Canaries, s.Name)
	}
	return next, a.Lookout.CheckDays(next.Country, next.OwnDays)
}

// checkChannels returns the channels as they are to be kept.
func (a *Agent) checkChannels(ctx context.Context, r app.WatchRequest) (out []app.Channel, err error) {
	const op = "change watch"
	names := map[string]bool{}
	for _, c := range r.Settings.Channels {
		c, err := a.Lookout.CheckChannel(c, func(key string) app.Secret {
			if s, given := r.Secrets[c.Name+"."+key]; given {
				return s
			}
			return a.secretOf(ctx, c.Name)(key)
		})
		if err != nil {
			return nil, app.AsError(err).With("channel", c.Name)
		}
		if names[c.Name] {
			return nil, app.Errorf(app.CodeUsage, op, "two channels %q", c.Name).With("field", "name")
		}
		names[c.Name] = true
		out = append(out, c)
	}
	for key := range r.Secrets {
		channel, _, dotted := strings.Cut(key, ".")
		if key != app.HeartbeatKey && (!dotted || !names[channel]) {
			return nil, app.Errorf(app.CodeUsage, op, "no channel for secret %q", key).With("field", key).
				With("choices", strings.Join(slices.Sorted(maps.Keys(names)), ", "))
		}
	}
	return out, nil
}

// keepWatchSecrets stores the secrets that were given, and forgets those of
// channels that are no more.
func (a *Agent) keepWatchSecrets(ctx context.Context, was, next app.WatchSettings, given app.Secrets) error {
	for key, s := range given {
		stored := heartbeatSecret
		if key != app.HeartbeatKey {
			channel, of, _ := strings.Cut(key, ".")
			stored = channelKey(channel, of)
		}
		var err error
		if s.IsZero() {
			err = a.Secrets.DeleteSecret(ctx, stored)
		} else {
			err = a.Secrets.SetSecret(ctx, stored, s)
		}
		if err != nil {
			return err
		}
	}
	for _, c := range was.Channels {
		if slices.ContainsFunc(next.Channels, func(o app.Channel) bool { return o.Name == c.Name }) {
			continue
		}
		for _, key := range []string{"url", "password", "token"} {
			if err := a.Secrets.DeleteSecret(ctx, channelKey(c.Name, key)); err != nil {
				return err
			}
		}
	}
	return nil
}

// folderOf returns the folder that a source is, "" when it is none.
func (a *Agent) folderOf(s app.Source) string {
	c, err := a.Connectors.Connector(s.Kind)
	if err != nil {
		return ""
	}
	if f, ok := c.Spec().Field("path"); !ok || f.Type != app.FieldFolder {
		return ""
	}
	return s.Settings["path"]
}

// moveCanaries takes the file out of folders it is no longer wanted in, and
// puts it into those it is.
func (a *Agent) moveCanaries(was, next []string) error {
	d := a.Store.Document()
	var err error
	for _, name := range was {
		if s, findErr := d.source(name); findErr == nil && !slices.Contains(next, name) {
			err = errors.Join(err, a.Lookout.LiftCanary(a.folderOf(s)))
		}
	}
	for _, name := range next {
		if s, findErr := d.source(name); findErr == nil && !slices.Contains(was, name) {
			err = errors.Join(err, a.Lookout.PlantCanary(a.folderOf(s)))
		}
	}
	if err != nil {
		return app.Errorf(app.CodeTargetReadOnly, "move canary", "%w", err)
	}
	return nil
}

// PeakDays implements [app.ProofService].
func (a *Agent) PeakDays(context.Context) ([]app.PeakDay, error) {
	now := a.Now()
	return a.peakDays(now, now.AddDate(1, 0, 0))
}

func (a *Agent) peakDays(from, to time.Time) ([]app.PeakDay, error) {
	if a.Lookout == nil {
		return nil, nil
	}
	w := a.Store.Document().Watch
	if w.Country == "" {
		w.Country = "se"
	}
	return a.Lookout.PeakDays(w.Country, w.OwnDays, from.Local(), to.Local())
}

// fillWatch says what is asked and how what is watched stands.
func (a *Agent) fillWatch(ctx context.Context, st *app.Status, d Document) error {
	var err error
	if st.Unusual, err = a.Journal.Unusuals(ctx, true); err != nil {
		return err
	}
	for _, u := range st.Unusual {
		st.Problems = append(st.Problems, app.Problemed{Source: u.Source, Error: unusualError(u)})
		if severity(app.VerdictSuspicious) > severity(st.Verdict) {
			st.Verdict = app.VerdictSuspicious
		}
	}
	if st.Watch.Storefront, err = a.frontStatus(ctx, d); err != nil {
		return err
	}
	if st.Watch.Channels, err = a.channelStatus(ctx, d); err != nil {
		return err
	}
	if d.Watch.Heartbeat != "" {
		beat, err := recall[heartbeat](ctx, a.Journal, keyHeartbeat)
		if err != nil {
			return err
		}
		if beat != nil {
			st.Watch.Heartbeat, st.Watch.HeartbeatError = beat.At, beat.Error
		}
	}
	st.Watch.DenseUntil = a.denseUntil(st.Now)
	st.Watch.Peak, err = a.nextPeak(st.Now)
	return err
}

func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
