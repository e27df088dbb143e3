package app

// PlaybookCode names a playbook. It is part of the command line: add, never
// rename.
type PlaybookCode string

// The playbooks.
const (
	PlaybookDeleted   PlaybookCode = "deleted"
	PlaybookHacked    PlaybookCode = "hacked"
	PlaybookComputer  PlaybookCode = "computer"
	PlaybookCrashed   PlaybookCode = "crashed"
	PlaybookShopDown  PlaybookCode = "shop-down"
	PlaybookUpdate    PlaybookCode = "update"
	PlaybookRehearsal PlaybookCode = "rehearsal"
)

// PlaybookCodes lists every playbook, in the order the owner is asked.
func PlaybookCodes() []PlaybookCode {
	return []PlaybookCode{
		PlaybookDeleted, PlaybookHacked, PlaybookComputer, PlaybookCrashed, PlaybookShopDown, PlaybookUpdate, PlaybookRehearsal,
	}
}

// Actor says who does a step.
type Actor string

// Who does steps.
const (
	ActorKvart Actor = "kvart"
	ActorOwner Actor = "owner"
)

// Action is what Kvart does in a step of its own.
type Action string

// The actions. Each has the effect of being done once, however often it is
// repeated.
const (
	ActionFreeze     Action = "freeze"     // let no backup expire until the incident is closed
	ActionPin        Action = "pin"        // keep the last 48 hours for ever
	ActionLock       Action = "lock"       // extend the locks, and try one
	ActionStorage    Action = "storage"    // are the backups there? else: which copy of them is
	ActionVault      Action = "vault"      // is a vault open on this computer
	ActionPoint      Action = "point"      // choose the newest verified points before the trouble
	ActionCompare    Action = "compare"    // count what changed since the chosen points
	ActionRestore    Action = "restore"    // bring back what was chosen
	ActionCheck      Action = "check"      // what the checks of that restore found
	ActionRehearse   Action = "rehearse"   // the same, to a safe place
	ActionPage       Action = "page"       // write the "back soon" page
	ActionPublish    Action = "publish"    // put it up where the shop is
	ActionWithdraw   Action = "withdraw"   // take it down again
	ActionStorefront Action = "storefront" // does the shop answer
	ActionGap        Action = "gap"        // what lies between the chosen points and now
)

// Actions lists every action.
func Actions() []Action {
	return []Action{
		ActionFreeze, ActionPin, ActionLock, ActionStorage, ActionVault, ActionPoint, ActionCompare, ActionRestore,
		ActionCheck, ActionRehearse, ActionPage, ActionPublish, ActionWithdraw, ActionStorefront, ActionGap,
	}
}

// Probe is a way in which Kvart finds out by itself whether a step worked.
type Probe string

// The probes.
const (
	ProbeVault      Probe = "vault"      // the vault opens
	ProbeSources    Probe = "sources"    // everything that was chosen can be read
	ProbeStorefront Probe = "storefront" // the shop answers as it should
)

// Probes lists every probe.
func Probes() []Probe { return []Probe{ProbeVault, ProbeSources, ProbeStorefront} }

// StepCode names a step. Its words are translations keyed
// "incident.step.<code>", and the same with ".why" and ".result".
type StepCode string

// PlaybookStep is one step as its playbook has it.
type PlaybookStep struct {
	Code  StepCode `json:"code"`
	Actor Actor    `json:"actor"`
	// After are the steps that come first: done or skipped, or, where they
	// don't block, failed.
	After []StepCode `json:"after,omitempty"`
	// Blocking steps hold up what comes after them until they are done or
	// skipped with a reason.
	Blocking bool `json:"blocking,omitempty"`
	// Consent is the owner's step without whose tick this one is not done: it is
	// skipped when that one is.
	Consent StepCode `json:"consent,omitempty"`
	Action  Action   `json:"action,omitempty"` // of Kvart's steps
	// Probe is asked when the owner says that the step is done.
	Probe Probe `json:"probe,omitempty"`
	// Message is the text that goes with the step: see [PlaybookService].
	Message string `json:"message,omitempty"`
	// Asks is set on a step that is done at once when the incident is opened
	// with what it asks for: "sources".
	Asks string `json:"asks,omitempty"`
	// Clears ends the suspicion that this computer is infected.
	Clears bool `json:"clears,omitempty"`
	// Stops stops the incident's clock: the shop is back.
	Stops bool `json:"stops,omitempty"`
}

// Playbook is what is done in one kind of trouble. Its words are translations
// keyed "incident.playbook.<code>", and the same with ".text".
type Playbook struct {
	Code PlaybookCode `json:"code"`
	// Infected marks this computer as infected until a step clears it.
	Infected bool           `json:"infected,omitempty"`
	Deadline *Deadline      `json:"deadline,omitempty"`
	Steps    []PlaybookStep `json:"steps"`
}

// Deadline is how many hours from the incident's beginning a step has to be
// done in.
type Deadline struct {
	Step  StepCode `json:"step"`
	Hours int      `json:"hours"`
}
