package settings

import (
	"strconv"
	"strings"
	"time"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/widgets"
)

// megabyte is the unit the upload limit is asked in.
const megabyte = 1_000_000

type fact struct{ Title, Value string }

// facts is what the screen is made of.
type facts struct {
	status   app.Status
	settings app.Settings
	watch    app.WatchSettings
	uptime   *app.Uptime // nil while not known
	build    string
	now      time.Time
}

// channelRow is one way to reach the owner.
type channelRow struct {
	Name, Kind, Where string
	Text              string
	Pill              string
	Tone              widgets.Tone
	Wrong             string // why the last try failed
}

// frontView is how the watched shop stands.
type frontView struct {
	Set    bool
	URL    string
	Text   string
	Pill   string
	Tone   widgets.Tone
	Wrong  []string
	Months []fact
	Downs  []string // the last outages
}

// powerView is what the computer lives on, and what follows.
type powerView struct {
	Battery, Metered     string // what is known just now
	OnBattery, OnMetered int    // the rule that is chosen
	Waiting              string // "" when nothing waits
}

type viewModel struct {
	Languages []string
	Language  int // 0 is the computer's own
	Theme     app.Theme
	Autostart bool
	Muted     string // the kinds of notices, joined
	Limit     string // megabytes a second, "" for none
	Keep      keepName
	Retention app.Retention // as chosen, with the usual one in place of none
	KeepWords string
	QuietFrom int
	QuietTo   int
	Channels  []channelRow
	Front     frontView
	Heartbeat told
	Power     powerView
	Facts     []fact
	Vault     []fact
	CanSetUp  bool
}

func model(w *assets.Words, f facts) viewModel {
	set := f.settings
	v := viewModel{Languages: []string{w.T("settings.language.system")}, Autostart: set.Autostart, Theme: set.Theme}
	for i, l := range assets.Languages() {
		v.Languages = append(v.Languages, w.T("language."+l))
		if l == set.Language {
			v.Language = i + 1
		}
	}
	for _, k := range set.Muted {
		v.Muted += string(k) + " "
	}
	if set.UploadLimit > 0 {
		v.Limit = strconv.FormatFloat(float64(set.UploadLimit)/megabyte, 'f', -1, 64)
	}
	v.Keep, v.Retention = keepOf(set.Keep)
	v.KeepWords = keepWords(w, v.Retention)
	v.QuietFrom, v.QuietTo = quietHours(set)
	v.Facts = []fact{{w.T("settings.build"), f.build}, {w.T("settings.secrets"), w.T("none")}}
	if f.status.Secrets != "" {
		v.Facts[1].Value = w.T("settings.secrets." + f.status.Secrets)
	}
	for _, c := range f.watch.Channels {
		v.Channels = append(v.Channels, modelChannel(w, c, f.status.Watch.Channels, f.now))
	}
	v.Front = modelFront(w, f)
	v.Heartbeat = modelHeartbeat(w, f)
	v.Power = modelPower(w, f.status, set)
	v.CanSetUp = f.status.Vault == nil
	v.Vault = modelVault(w, f.status)
	return v
}

func modelVault(w *assets.Words, s app.Status) []fact {
	i := s.Vault
	if i == nil {
		return nil
	}
	yes := map[bool]string{true: w.T("yes"), false: w.T("no")}
	stored := w.T("none")
	if i.Bytes >= 0 {
		stored = w.Bytes(i.Bytes)
	}
	return []fact{
		{w.T("settings.vault.shop"), i.Shop},
		{w.T("settings.vault.kind"), w.T("storage." + string(i.Storage))},
		{w.T("settings.vault.where"), i.Where},
		{w.T("settings.vault.bytes"), stored},
		{w.T("settings.vault.offsite"), yes[i.OffSite]},
		{w.T("settings.vault.locked"), yes[s.Locked()]},
		{w.T("settings.vault.open"), w.T("storage." + string(i.Storage) + ".unprotected")},
	}
}

// modelChannel tells how a channel does. Only one that took something lately
// is known to reach anybody.
func modelChannel(w *assets.Words, c app.Channel, all []app.ChannelStatus, now time.Time) channelRow {
	r := channelRow{Name: c.Name, Kind: w.T("settings.channel.kind." + string(c.Kind)), Where: c.Where}
	if c.Kind == app.ChannelMail {
		r.Where = strings.Join(c.To, ", ")
	}
	r.Text, r.Pill, r.Tone = w.T("settings.channel.never"), w.T("settings.channel.untested"), widgets.ToneWarn
	for _, s := range all {
		if s.Name != c.Name {
			continue
		}
		if !s.Sent.IsZero() {
			r.Text, r.Pill, r.Tone = w.T("settings.channel.sent", assets.Args{"When": w.When(s.Sent, now)}), w.T("settings.channel.works"), widgets.ToneGood
		}
		if s.Error != nil {
			r.Wrong, _, _ = assets.ErrorWords(w, s.Error)
			r.Pill, r.Tone = w.T("settings.channel.fails"), widgets.ToneDanger
		}
		if s.Waiting > 0 {
			r.Text = w.N("settings.channel.waiting", int64(s.Waiting))
		}
	}
	return r
}

// shownMonths and shownOutages are how many of each are shown.
const (
	shownMonths  = 6
	shownOutages = 3
)

func modelFront(w *assets.Words, f facts) frontView {
	if f.watch.Storefront == nil {
		return frontView{Text: w.T("settings.front.none"), Pill: w.T("settings.front.off"), Tone: widgets.ToneNeutral}
	}
	v := frontView{Set: true, URL: f.watch.Storefront.URL, Text: w.T("settings.front.unseen"), Pill: w.T("stand.unknown"), Tone: widgets.ToneNeutral}
	if s := f.status.Watch.Storefront; s != nil && !s.Last.At.IsZero() && s.URL == v.URL {
		p := probeTold(w, s.Last, f.now)
		v.Text, v.Tone = p.Words, p.Tone
		v.Pill = w.T("settings.front." + string(s.Last.State))
		for _, e := range []*app.Error{s.Last.Error, s.Warning, domainWarning(s.Domain)} {
			if e != nil {
				title, _, _ := assets.ErrorWords(w, e)
				v.Wrong = append(v.Wrong, title)
			}
		}
	}
	if f.uptime == nil {
		return v
	}
	for i, m := range f.uptime.Months {
		if i < shownMonths {
			v.Months = append(v.Months, monthFact(w, m))
		}
	}
	for i, o := range f.uptime.Outages {
		if i < shownOutages {
			v.Downs = append(v.Downs, outageWords(w, o, f.now))
		}
	}
	return v
}

func domainWarning(d *app.DomainStatus) *app.Error {
	if d == nil {
		return nil
	}
	return d.Warning
}

// probeTold tells one look at the shop.
func probeTold(w *assets.Words, p app.StorefrontProbe, now time.Time) told {
	args := assets.Args{"When": w.When(p.At, now), "Ms": w.Number(p.Millis)}
	switch p.State {
	case app.StorefrontUp:
		return told{w.T("settings.front.up.text", args), widgets.ToneGood}
	case app.StorefrontDown:
		return told{w.T("settings.front.down.text", args), widgets.ToneDanger}
	}
	return told{w.T("settings.front.unknown.text", args), widgets.ToneWarn}
}

// monthFact tells how a month went; what nobody saw counts neither way.
func monthFact(w *assets.Words, m app.MonthUptime) fact {
	out := fact{Title: m.Month, Value: w.T("settings.front.month.unknown")}
	if t, err := time.Parse("2006-01", m.Month); err == nil {
		out.Title = w.T("settings.front.month", assets.Args{"Month": w.T("month." + strconv.Itoa(int(t.Month()))), "Year": t.Year()})
	}
	if share, known := m.Share(); known {
		out.Value = w.T("settings.front.month.up", assets.Args{"Share": percent(w, share), "Ms": w.Number(m.Millis)})
	}
	return out
}

// percent tells a share with two decimals, cut and not rounded: less than all is
// never told as all.
func percent(w *assets.Words, share float64) string {
	hundredths := int64(share * 10000)
	return w.T("settings.percent", assets.Args{"Whole": strconv.FormatInt(hundredths/100, 10), "Rest": strconv.FormatInt(hundredths%100+100, 10)[1:]})
}

func outageWords(w *assets.Words, o app.Outage, now time.Time) string {
	args := assets.Args{"From": w.When(o.Begin, now), "Long": ""}
	if o.End.IsZero() {
		return w.T("settings.front.outage.open", args)
	}
	args["Long"] = w.Span(o.End.Sub(o.Begin))
	return w.T("settings.front.outage", args)
}

func modelHeartbeat(w *assets.Words, f facts) told {
	st := f.status.Watch
	switch {
	case f.watch.Heartbeat == "":
		return told{w.T("settings.beat.none"), widgets.ToneNeutral}
	case st.HeartbeatError != nil:
		title, _, _ := assets.ErrorWords(w, st.HeartbeatError)
		return told{w.T("settings.beat.fails", assets.Args{"Where": f.watch.Heartbeat, "Why": title}), widgets.ToneDanger}
	case st.Heartbeat.IsZero():
		return told{w.T("settings.beat.never", assets.Args{"Where": f.watch.Heartbeat}), widgets.ToneNeutral}
	}
	return told{w.T("settings.beat.last", assets.Args{"Where": f.watch.Heartbeat, "When": w.When(st.Heartbeat, f.now)}), widgets.ToneGood}
}

func modelPower(w *assets.Words, s app.Status, set app.Settings) powerView {
	known := func(key string, k app.Known) string {
		if k == app.KnownNot {
			return w.T("settings.power." + key + ".unknown")
		}
		return w.T("settings.power." + key + "." + string(k))
	}
	v := powerView{Battery: known("battery", s.Power.Battery), Metered: known("metered", s.Power.Metered)}
	for i, r := range app.PowerRules() {
		if r == set.OnBattery {
			v.OnBattery = i
		}
		if r == set.OnMetered {
			v.OnMetered = i
		}
	}
	if s.Waiting != nil {
		v.Waiting = w.N("settings.power.waiting", int64(len(s.Waiting.Sources)), assets.Args{"Sources": strings.Join(s.Waiting.Sources, ", ")})
	}
	return v
}

// parseLimit reads megabytes a second; nothing, or nothing sensible, is false.
func parseLimit(s string) (bytesPerSecond int64, ok bool) {
	s = strings.ReplaceAll(strings.TrimSpace(s), ",", ".")
	if s == "" {
		return 0, true
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !(f > 0 && f <= 100_000) { // NaN is neither
		return 0, false
	}
	return int64(f * megabyte), true
}
