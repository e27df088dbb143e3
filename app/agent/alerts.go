package agent

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"kvart/app"
	"kvart/app/agent/journal"
)

const (
	// settled is how long a cause has to be gone before it is called solved: a
	// storage that comes and goes must not send a letter each time.
	settled = 5 * time.Minute
	// quietFor is how long after a letter the same cause waits with the next.
	quietFor = time.Hour
	// givenUp is how long a letter is tried.
	givenUp = 3 * 24 * time.Hour
)

// again is how long after the n-th letter a cause that still stands is told of
// once more.
func again(times int) time.Duration {
	switch times {
	case 0, 1:
		return 24 * time.Hour
	case 2:
		return 3 * 24 * time.Hour
	}
	return 7 * 24 * time.Hour
}

// retry is how long after the n-th failure a letter is tried again.
func retry(tries int) time.Duration {
	steps := []time.Duration{time.Minute, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour}
	return steps[min(max(tries, 1), len(steps))-1]
}

// mailroom is what is remembered of alerts while the guard runs; letters and
// what stands are in the journal. The lookout's mutex guards it.
type mailroom struct {
	channels map[string]app.ChannelStatus
	absent   map[string]time.Time // since when a cause that stands is gone
}

// urgent reports whether a cause can't wait till the owner looks.
func urgent(cause string) bool {
	base, part, _ := strings.Cut(cause, ".")
	return base == causeDomain && part != "" || slices.Contains([]string{causeLate, causeFailed, causeLock, causeUnusual, causeFront}, base)
}

// watchCauses adds the causes that are about being watched over.
func watchCauses(s map[string]*app.Error, st app.Status) {
	s[causeFront], s[causeExpires], s[causeDomain], s[causeDomainLast] = nil, nil, nil, nil
	for _, u := range st.Unusual {
		s[causeUnusual+"."+string(u.SourceID)] = unusualError(u)
	}
	if f := st.Watch.Storefront; f != nil {
		s[causeExpires] = f.Warning
		if d := f.Domain; d != nil && d.Warning != nil {
			s[causeDomain] = d.Warning
			if d.Until.Sub(st.Now) <= app.DomainLast {
				s[causeDomainLast] = d.Warning // told again, and as an alarm
			}
		}
		if f.Outage != nil {
			s[causeFront] = f.Outage.Error
		}
	}
}

// alert writes letters about causes that came to stand, stand for long, or are
// solved. A letter is on the disk before anybody tries to send it.
func (a *Agent) alert(ctx context.Context, causes map[string]*app.Error) {
	channels := a.Store.Document().Watch.Channels
	if a.Lookout == nil || len(channels) == 0 {
		return
	}
	a.lookout.mu.Lock()
	defer a.lookout.mu.Unlock()
	stood, err := a.Journal.Standings(ctx)
	if err != nil {
		a.Log.WarnContext(ctx, "Alerts not written", "error", err)
		return
	}
	names := maps.Clone(causes)
	for cause := range stood {
		if _, ok := names[cause]; !ok {
			names[cause] = nil
		}
	}
	for _, cause := range slices.Sorted(maps.Keys(names)) {
		if err := a.alertOne(ctx, cause, names[cause], stood[cause], channels); err != nil {
			a.Log.WarnContext(ctx, "Alert not written", "cause", cause, "error", err)
		}
	}
}

func (a *Agent) alertOne(ctx context.Context, cause string, e *app.Error, s journal.Standing, channels []app.Channel) error {
	now, absent := a.Now(), a.lookout.absent
	stands := s.Cause != "" && s.Closed.IsZero()
	if e != nil {
		delete(absent, cause)
	}
	switch {
	case e != nil && !stands:
		due := now
		if wait := s.Told.Add(quietFor); wait.After(now) && now.After(s.Told) {
			due = wait
		}
		title, text := a.words(cause, e)
		s = journal.Standing{Cause: cause, Title: title, Alarm: urgent(cause), Opened: now, Told: due, Times: 1}
		return a.post(ctx, s, false, a.letters(s, app.AlertRaised, title, text, due, channels))
	case e != nil && dueAgain(s, now):
		title, text := a.words(cause, e)
		if !daily(cause) {
			title, text = a.NoticeWords(causeAgain, (&app.Error{Code: e.Code}).With("what", title).With("text", text))
		}
		s.Told, s.Times = now, s.Times+1
		return a.post(ctx, s, true, a.letters(s, app.AlertAgain, title, text, now, channels))
	case e == nil && stands:
		if _, ok := absent[cause]; !ok {
			absent[cause] = now
		}
		if cause != causeFront && now.Sub(absent[cause]).Abs() < settled {
			return nil
		}
		delete(absent, cause)
		return a.solve(ctx, s, channels)
	}
	return nil
}

// dueAgain reports whether the owner is told once more of a cause that stands.
func dueAgain(s journal.Standing, now time.Time) bool {
	return s.Alarm && now.Sub(s.Told) >= again(s.Times) || daily(s.Cause) && long(s.Told, now)
}

// words are a cause's, without the source it is about.
func (a *Agent) words(cause string, e *app.Error) (title, text string) {
	base, _, _ := strings.Cut(cause, ".")
	return a.NoticeWords(base, e)
}

// solve says that a cause is solved, to those who were told of it. Who was not
// told yet is not told at all.
func (a *Agent) solve(ctx context.Context, s journal.Standing, channels []app.Channel) error {
	waiting, err := a.Journal.Letters(ctx)
	if err != nil {
		return err
	}
	told := slices.DeleteFunc(slices.Clone(channels), func(c app.Channel) bool {
		return slices.ContainsFunc(waiting, func(l journal.Letter) bool {
			return l.Channel == c.Name && l.Alert.Cause == s.Cause && l.Alert.State == app.AlertRaised
		})
	})
	s.Closed = a.Now()
	title, text := a.NoticeWords(causeSolved, (&app.Error{}).With("what", s.Title))
	return a.post(ctx, s, true, a.letters(s, app.AlertSolved, title, text, s.Closed, told))
}

func (a *Agent) letters(s journal.Standing, state app.AlertState, title, text string, due time.Time, channels []app.Channel) (out []journal.Letter) {
	for _, c := range channels {
		out = append(out, journal.Letter{Channel: c.Name, Due: due, Alert: app.Alert{
			Cause: s.Cause, State: state, Shop: a.shopName(), Title: title, Text: text, At: a.Now(), Alarm: s.Alarm && state != app.AlertSolved,
		}})
	}
	return out
}

func (a *Agent) shopName() string {
	if v := a.Store.Document().Vault; v != nil {
		return v.Shop
	}
	return ""
}

func (a *Agent) post(ctx context.Context, s journal.Standing, drop bool, letters []journal.Letter) error {
	if err := a.Journal.PutStanding(ctx, s, drop, letters...); err != nil {
		return err
	}
	select {
	case a.lookout.wake <- struct{}{}:
	default:
	}
	return nil
}

// deliverAlerts sends letters as they fall due, until ctx ends.
func (a *Agent) deliverAlerts(ctx context.Context) error {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		if a.Lookout != nil {
			if err := a.deliver(ctx); err != nil && ctx.Err() == nil {
				a.Log.WarnContext(ctx, "Alerts not delivered", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-a.lookout.wake:
		case <-tick.C:
		}
	}
}

// deliver tries every letter that is due. Of a channel that fails no other
// letter is tried in the same round: they would only come out of order.
func (a *Agent) deliver(ctx context.Context) error {
	letters, err := a.Journal.Letters(ctx)
	if err != nil {
		return err
	}
	blocked := map[string]bool{}
	for _, l := range letters {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		c, ok := a.channel(l.Channel)
		switch {
		case !ok || a.Now().Sub(l.Alert.At) > givenUp:
			a.Log.WarnContext(ctx, "Alert given up", "channel", l.Channel, "cause", l.Alert.Cause, "tries", l.Tries)
			err = a.Journal.DropLetter(ctx, l.ID)
		case blocked[l.Channel]:
			continue
		case l.Due.After(a.Now()):
			// what was raised goes before what was solved, whenever that is
			blocked[l.Channel] = blocked[l.Channel] || l.Tries > 0
			continue
		default:
			err = a.deliverOne(ctx, c, l, blocked)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *Agent) deliverOne(ctx context.Context, c app.Channel, l journal.Letter, blocked map[string]bool) error {
	sendErr := a.Lookout.Send(ctx, c, a.secretOf(ctx, c.Name), l.Alert)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	a.noteChannel(ctx, c, sendErr)
	a.bus.poke()
	if sendErr == nil {
		return a.Journal.DropLetter(ctx, l.ID)
	}
	blocked[c.Name] = true
	l.Tries++
	l.Due = a.Now().Add(retry(l.Tries))
	a.Log.InfoContext(ctx, "Alert not taken yet", "channel", c.Name, "tries", l.Tries, "error", sendErr)
	return a.Journal.PutLetter(ctx, l)
}

// keyDelivered is the journal's key of when a channel last took an alert.
func keyDelivered(channel string) string { return "delivered." + channel }

// forgetDelivered forgets deliveries by channels that are another now: they show
// nothing of where the next alert goes.
func (a *Agent) forgetDelivered(ctx context.Context, was, next app.WatchSettings, given app.Secrets) error {
	for _, c := range was.Channels {
		same := slices.ContainsFunc(next.Channels, func(o app.Channel) bool { return reflect.DeepEqual(o, c) })
		for key := range given {
			if channel, _, _ := strings.Cut(key, "."); channel == c.Name {
				same = false
			}
		}
		if same {
			continue
		}
		if err := a.Journal.SetMeta(ctx, keyDelivered(c.Name), ""); err != nil {
			return err
		}
	}
	return nil
}

func (a *Agent) noteChannel(ctx context.Context, c app.Channel, err error) {
	if err == nil {
		if err := a.Journal.SetMetaTime(ctx, keyDelivered(c.Name), a.Now()); err != nil {
			a.Log.WarnContext(ctx, "Delivery not noted", "channel", c.Name, "error", err)
		}
	}
	a.lookout.mu.Lock()
	defer a.lookout.mu.Unlock()
	s := a.lookout.channels[c.Name]
	s.Name, s.Kind, s.Error = c.Name, c.Kind, app.AsError(err)
	if err == nil {
		s.Sent = a.Now()
	}
	a.lookout.channels[c.Name] = s
}

func (a *Agent) channel(name string) (app.Channel, bool) {
	all := a.Store.Document().Watch.Channels
	i := slices.IndexFunc(all, func(c app.Channel) bool { return c.Name == name })
	if i < 0 {
		return app.Channel{}, false
	}
	return all[i], true
}

// channelStatus says how the channels do.
func (a *Agent) channelStatus(ctx context.Context, d Document) ([]app.ChannelStatus, error) {
	if len(d.Watch.Channels) == 0 {
		return nil, nil
	}
	letters, err := a.Journal.Letters(ctx)
	if err != nil {
		return nil, err
	}
	a.lookout.mu.Lock()
	defer a.lookout.mu.Unlock()
	var out []app.ChannelStatus
	for _, c := range d.Watch.Channels {
		s := a.lookout.channels[c.Name]
		s.Name, s.Kind = c.Name, c.Kind
		for _, l := range letters {
			if l.Channel == c.Name {
				s.Waiting++
			}
		}
		out = append(out, s)
	}
	return out, nil
}

// TestAlert implements [app.WatchService].
func (a *Agent) TestAlert(ctx context.Context, name string) error {
	c, ok := a.channel(name)
	if !ok || a.Lookout == nil {
		var names []string
		for _, c := range a.Store.Document().Watch.Channels {
			names = append(names, c.Name)
		}
		return app.Errorf(app.CodeUsage, "test alert", "no channel %q", name).With("field", "channel").With("choices", strings.Join(names, ", "))
	}
	title, text := a.NoticeWords(causeTest, nil)
	err := a.Lookout.Send(ctx, c, a.secretOf(ctx, c.Name), app.Alert{
		Cause: causeTest, State: app.AlertTest, Shop: a.shopName(), Title: title, Text: text, At: a.Now(),
	})
	a.noteChannel(ctx, c, err)
	a.bus.poke()
	return err
}

// keyHeartbeat is the journal's key of the last heartbeat.
const keyHeartbeat = "heartbeat"

// heartbeat is what came of the last one.
type heartbeat struct {
	At    time.Time  `json:"at"` // the last that was taken
	Error *app.Error `json:"error,omitempty"`
}

// beat tells an outside service that a run of everything was good: that it
// stops hearing so is how the owner learns that this computer is off.
func (a *Agent) beat(ctx context.Context) {
	if a.Lookout == nil || a.Store.Document().Watch.Heartbeat == "" {
		return
	}
	var now heartbeat
	was, err := recall[heartbeat](ctx, a.Journal, keyHeartbeat)
	if err == nil && was != nil {
		now = *was
	}
	s, err := a.Secrets.Secret(ctx, heartbeatSecret)
	if err == nil {
		err = a.Lookout.Beat(ctx, s)
	}
	if now.Error = app.AsError(err); err == nil {
		now.At = a.Now()
	} else {
		a.Log.WarnContext(ctx, "Heartbeat not taken", "error", err)
	}
	if err := keep(ctx, a.Journal, keyHeartbeat, now); err != nil {
		a.Log.WarnContext(ctx, "Heartbeat not noted", "error", err)
	}
}
