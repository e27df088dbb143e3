package app

import (
	"context"
	"time"
)

// ReadySoon is how long before a peak day the owner is asked to get ready.
const ReadySoon = 14 * 24 * time.Hour

// ReadyCode names an item of the readiness list. Its title is a translation
// keyed "ready.item.<code>".
type ReadyCode string

// The items, in the order they are shown.
const (
	ReadyDrill    ReadyCode = "drill"      // every source was restored and checked within 7 days
	ReadyKit      ReadyCode = "kit"        // the recovery kit is confirmed
	ReadyLock     ReadyCode = "lock"       // the storage refused to delete
	ReadyRoom     ReadyCode = "room"       // the storage holds what is expected, see [PeakForecast]
	ReadyPace     ReadyCode = "pace"       // backups every [PeakLength] over the days
	ReadyUpkeep   ReadyCode = "upkeep"     // heavy work stays out of shop hours
	ReadyCopy     ReadyCode = "copy"       // a second copy is in step
	ReadyContacts ReadyCode = "contacts"   // whom to call is stored
	ReadyAlerts   ReadyCode = "alerts"     // alerts reach somebody away from this computer
	ReadyFront    ReadyCode = "storefront" // the shop answers, and how fast
	ReadyDomain   ReadyCode = "domain"     // domain and certificate outlive the days
	ReadyCapacity ReadyCode = "capacity"   // how many visitors the shop's own hosting stands
	ReadyPlatform ReadyCode = "platform"   // what to ask a hosted platform
)

// ReadyCodes lists every item.
func ReadyCodes() []ReadyCode {
	return []ReadyCode{
		ReadyDrill, ReadyKit, ReadyLock, ReadyRoom, ReadyPace, ReadyUpkeep, ReadyCopy, ReadyContacts, ReadyAlerts, ReadyFront, ReadyDomain, ReadyCapacity, ReadyPlatform,
	}
}

// ReadyState tells how an item stands. Its words are translations keyed
// "ready.state.<state>".
type ReadyState string

// States of an item.
const (
	ReadyYes      ReadyState = "ready"
	ReadyNo       ReadyState = "not_ready"
	ReadyUnknown  ReadyState = "unknown" // what can't be told is never called ready
	ReadyNeedless ReadyState = "not_needed"
)

// ReadyDo is what the owner can do about an item. Its words, for a button, are
// translations keyed "ready.do.<do>".
type ReadyDo string

// What can be done. The last two, and the domain, are done outside Kvart.
const (
	DoNothing  ReadyDo = ""
	DoDrill    ReadyDo = "drill"    // [JobService.StartDrill]
	DoKit      ReadyDo = "kit"      // make and confirm a recovery kit
	DoLock     ReadyDo = "lock"     // [CareService.ProveLock]
	DoRoom     ReadyDo = "room"     // choose another storage, or keep less
	DoPace     ReadyDo = "pace"     // [WatchSettings.NoPeakPace] off
	DoResume   ReadyDo = "resume"   // end the pause
	DoQuiet    ReadyDo = "quiet"    // [Settings.QuietFrom] and QuietTo
	DoAddCopy  ReadyDo = "add_copy" // [CareService.AddCopy]
	DoCopy     ReadyDo = "copy"     // [CareService.StartCopy]
	DoContacts ReadyDo = "contacts" // [PlaybookService.SetContacts]
	DoAlerts   ReadyDo = "alerts"   // add a channel
	DoTest     ReadyDo = "test"     // [WatchService.TestAlert]
	DoShop     ReadyDo = "shop"     // give the shop's address
	DoLook     ReadyDo = "look"     // [WatchService.TestStorefront]
	DoDomain   ReadyDo = "domain"   // renew the domain or its certificate, where they were bought
	DoProve    ReadyDo = "prove"    // [CapacityService.ProveShop]
	DoCapacity ReadyDo = "capacity" // [CapacityService.StartCapacity]
	DoHost     ReadyDo = "host"     // send the capacity report to the host
	DoAsk      ReadyDo = "ask"      // put [ReadyItem.Asks] to the platform
)

// ReadyDos lists everything that can be done.
func ReadyDos() []ReadyDo {
	return []ReadyDo{
		DoDrill, DoKit, DoLock, DoRoom, DoPace, DoResume, DoQuiet, DoAddCopy, DoCopy, DoContacts, DoAlerts, DoTest, DoShop, DoLook, DoDomain, DoProve, DoCapacity, DoHost, DoAsk,
	}
}

// ReadyFact is what an item's state rests on. Its words are translations keyed
// "ready.fact.<code>", filled in with the fields that are set; assets has what
// writes them.
type ReadyFact struct {
	Code   string `json:"code"`
	Name   string `json:"name,omitempty"` // of a source, a copy, a channel, a host
	Count  int64  `json:"count,omitempty"`
	Bytes  int64  `json:"bytes,omitempty"`  // needed
	Room   int64  `json:"room,omitempty"`   // bytes there are
	Millis int64  `json:"millis,omitempty"` // of an answer
	// UsualMillis is what answers took this month, on average; 0 when not known.
	UsualMillis int64 `json:"usualMillis,omitempty"`
	// From and To are hours of the day.
	From int       `json:"from,omitempty"`
	To   int       `json:"to,omitempty"`
	Time time.Time `json:"time"`
}

// ReadyItem is one line of the readiness list.
type ReadyItem struct {
	Code  ReadyCode  `json:"code"`
	State ReadyState `json:"state"`
	Fact  ReadyFact  `json:"fact"`
	// Do is what would make it ready; "" when there is nothing to do.
	Do ReadyDo `json:"do,omitempty"`
	// Asks are questions for the platform, translations keyed "ready.ask.<ask>".
	Asks []string `json:"asks,omitempty"`
	// Error says more of what stands against it, where something failed.
	Error *Error `json:"error,omitempty"`
}

// ReadyAsks lists every question for a platform.
func ReadyAsks() []string {
	return []string{"visitors", "limits", "freeze", "payment", "support", "status"}
}

// Readiness is how ready the shop is for its next peak day.
type Readiness struct {
	// Peak is the next peak day, or the one that is on; nil when none comes
	// within a year. The items hold all the same, for the coming two weeks.
	Peak *PeakDay `json:"peak,omitempty"`
	// Soon reports that it begins within [ReadySoon], or is on.
	Soon bool `json:"soon"`
	// Days is how many days are left until it begins; 0 when it is on.
	Days int `json:"days"`
	// State is ready when every item that is needed is, not ready when one is
	// not, and unknown otherwise.
	State ReadyState  `json:"state"`
	Items []ReadyItem `json:"items"` // in the order of [ReadyCodes]
	// Forecast is what the room is measured against; nil while nothing is known.
	Forecast *PeakForecast `json:"forecast,omitempty"`
}

// Item returns the item of a code; its state is "" when there is none.
func (r Readiness) Item(code ReadyCode) ReadyItem {
	for _, it := range r.Items {
		if it.Code == code {
			return it
		}
	}
	return ReadyItem{}
}

// ForecastBasis tells what a forecast rests on.
type ForecastBasis string

// What forecasts rest on.
const (
	BasisLastYear ForecastBasis = "last_year" // how the vault grew over the same days a year ago
	BasisTrend    ForecastBasis = "trend"     // how it grew over the last weeks
)

// PeakForecast is how much more is expected to be stored when the next peak
// day has passed:
//
//	Bytes = 1.1 × (Ordinary × days until it begins + Peak × days of it)
//
// Ordinary is what the vault grew by a day over the last four weeks. Peak, by
// [BasisLastYear], is what it grew by a day over the same days a year ago or,
// where that is more, Ordinary times how much faster it grew then than in the
// four weeks before; never less than Ordinary. By [BasisTrend] it is
// [PeakFactor] times Ordinary.
type PeakForecast struct {
	Basis    ForecastBasis `json:"basis"`
	Until    time.Time     `json:"until"`    // the end of the peak day
	Ordinary int64         `json:"ordinary"` // bytes a day
	Peak     int64         `json:"peak"`     // bytes a day
	Bytes    int64         `json:"bytes"`    // expected in all until then
	Free     int64         `json:"free"`     // -1 when the storage does not tell
}

// PeakFactor is how much faster than ordinarily a vault is taken to grow over
// peak days of which nothing else is known: three times as many backups, each
// with an index of its own, of a trade that is about doubled.
const PeakFactor = 3

// PeakLength is the time between two backups over peak days.
const PeakLength = 5 * time.Minute

// ReadyService tells how ready the shop is.
type ReadyService interface {
	// Readiness looks at everything the list asks for, the storefront among
	// it; it may take a few seconds.
	Readiness(ctx context.Context) (Readiness, error)
}
