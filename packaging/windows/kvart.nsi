; Kvart's installer for Windows: for one account, without an administrator.
; makensis -DVERSION=0.1.0 -DVERSION4=0.1.0.0 -DFROM=DIR -DOUT=FILE [-DSIGN=COMMAND] [-DFAST] kvart.nsi
;
;   kvart-setup.exe /S             without a question
;   uninstall.exe /S [/PURGE]      without a question; /PURGE takes the settings too

Unicode true
Target amd64-unicode
!ifdef FAST
	SetCompressor zlib
!else
	SetCompressor /SOLID lzma
!endif
RequestExecutionLevel user
ManifestDPIAware true
ManifestSupportedOS Win10
AllowSkipFiles off
BrandingText " "

Name "Kvart"
OutFile "${OUT}"
InstallDir "$LOCALAPPDATA\Programs\Kvart"
InstallDirRegKey HKCU "Software\Kvart" "InstallDir"

!include MUI2.nsh
!include FileFunc.nsh
!include LogicLib.nsh

!define UNINSTALL "Software\Microsoft\Windows\CurrentVersion\Uninstall\Kvart"
!define APPROVED "Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\StartupFolder"

!ifdef SIGN
	!uninstfinalize '${SIGN} "%1"' = 0
!endif

!define MUI_ICON "${FROM}\kvart.ico"
!define MUI_UNICON "${FROM}\kvart.ico"
!define MUI_ABORTWARNING
!define MUI_FINISHPAGE_RUN "$INSTDIR\kvart.exe"

!insertmacro MUI_PAGE_WELCOME
!insertmacro MUI_PAGE_COMPONENTS
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES

; The first is for those whose language is neither. Windows' own is taken.
!insertmacro MUI_LANGUAGE "English"
!insertmacro MUI_LANGUAGE "Swedish"

VIProductVersion "${VERSION4}"
!macro about LANG ABOUT
	VIAddVersionKey /LANG=${LANG} "ProductName" "Kvart"
	VIAddVersionKey /LANG=${LANG} "CompanyName" "Kvart"
	VIAddVersionKey /LANG=${LANG} "FileDescription" "${ABOUT}"
	VIAddVersionKey /LANG=${LANG} "FileVersion" "${VERSION}"
	VIAddVersionKey /LANG=${LANG} "ProductVersion" "${VERSION}"
	VIAddVersionKey /LANG=${LANG} "LegalCopyright" "Apache License 2.0"
!macroend
!insertmacro about ${LANG_ENGLISH} "Installs Kvart"
!insertmacro about ${LANG_SWEDISH} "Installerar Kvart"

LangString Program ${LANG_ENGLISH} "Kvart"
LangString Program ${LANG_SWEDISH} "Kvart"
LangString ProgramAbout ${LANG_ENGLISH} "The window, and the guard that backs your shop up every quarter of an hour."
LangString ProgramAbout ${LANG_SWEDISH} "Fönstret, och vakten som säkerhetskopierar din butik varje kvart."
LangString AtLogin ${LANG_ENGLISH} "Start when I log in"
LangString AtLogin ${LANG_SWEDISH} "Starta när jag loggar in"
LangString AtLoginAbout ${LANG_ENGLISH} "So that backups are made without you thinking of it. You can change this in Kvart's settings."
LangString AtLoginAbout ${LANG_SWEDISH} "Så att det säkerhetskopieras utan att du tänker på det. Du kan ändra det i Kvarts inställningar."
LangString Comment ${LANG_ENGLISH} "Backs your shop up every quarter of an hour"
LangString Comment ${LANG_SWEDISH} "Säkerhetskopierar din butik varje kvart"
LangString StillRuns ${LANG_ENGLISH} "Kvart is in the middle of something and could not be ended.$\r$\n$\r$\nWait until it is done, or choose Quit by its icon next to the clock. Then try again."
LangString StillRuns ${LANG_SWEDISH} "Kvart är mitt i något och gick inte att avsluta.$\r$\n$\r$\nVänta tills det är klart, eller välj Avsluta vid ikonen bredvid klockan. Försök sedan igen."
LangString KeepSettings ${LANG_ENGLISH} "Keep Kvart's settings and history on this computer?$\r$\n$\r$\nYour backups are not touched, whatever you answer: they lie where you chose to store them.$\r$\n$\r$\nYes: if you install Kvart again, it goes on where it was.$\r$\nNo: settings, history and passwords are deleted. To reach the backups again you need your recovery kit or your passphrase."
LangString KeepSettings ${LANG_SWEDISH} "Vill du behålla Kvarts inställningar och historik på den här datorn?$\r$\n$\r$\nDina säkerhetskopior rörs inte, vad du än svarar: de ligger där du valde att spara dem.$\r$\n$\r$\nJa: om du installerar Kvart igen fortsätter det där det var.$\r$\nNej: inställningar, historik och lösenord tas bort. För att nå säkerhetskopiorna igen behöver du återställningskitet eller lösenfrasen."

LangString NotForgotten ${LANG_ENGLISH} "Not all of Kvart's settings could be deleted. Kvart is still installed.$\r$\n$\r$\nTry again, or remove Kvart and answer Yes to keep them."
LangString NotForgotten ${LANG_SWEDISH} "Alla Kvarts inställningar gick inte att ta bort. Kvart är fortfarande installerat.$\r$\n$\r$\nFörsök igen, eller ta bort Kvart och svara Ja för att behålla dem."
LangString NoKit ${LANG_ENGLISH} "You have no recovery kit that is confirmed and up to date. If the passwords on this computer are deleted, nobody can open your backups again but somebody who knows the passphrase and the storage's keys.$\r$\n$\r$\nDelete them all the same?"
LangString NoKit ${LANG_SWEDISH} "Du har inget återställningskit som är bekräftat och aktuellt. Om lösenorden på den här datorn tas bort kan ingen öppna dina säkerhetskopior igen, utom den som kan lösenfrasen och lagringens nycklar.$\r$\n$\r$\nTa bort dem ändå?"

; end: the window and the guard give their files free; the guard first brings to
; a safe end what it does.
!macro end UN
Function ${UN}end
	again:
	StrCpy $1 0
	close:
	FindWindow $0 "GLFW30" "Kvart"
	${If} $0 <> 0
	${AndIf} $1 < 20
		SendMessage $0 ${WM_CLOSE} 0 0 /TIMEOUT=2000
		Sleep 250
		IntOp $1 $1 + 1
		Goto close
	${EndIf}
	${If} ${FileExists} "$INSTDIR\kvart-agent.exe"
		ClearErrors
		ExecWait '"$INSTDIR\kvart-agent.exe" quit' $0
		${If} ${Errors}
		${OrIf} $0 <> 0
			MessageBox MB_RETRYCANCEL|MB_ICONEXCLAMATION "$(StillRuns)" /SD IDCANCEL IDRETRY again
			SetErrorLevel 1
			Abort
		${EndIf}
	${EndIf}
FunctionEnd
!macroend
!insertmacro end ""
!insertmacro end "un."

Section "$(Program)" program
	SectionIn RO
	Call end
	SetOutPath "$INSTDIR"
	File "${FROM}\kvart.exe"
	File "${FROM}\kvart-agent.exe"
	File "${FROM}\kvart-agent.com"
	File "${FROM}\licences.txt"
	WriteUninstaller "$INSTDIR\uninstall.exe"
	CreateShortcut "$SMPROGRAMS\Kvart.lnk" "$INSTDIR\kvart.exe" "" "" 0 SW_SHOWNORMAL "" "$(Comment)"

	WriteRegStr HKCU "Software\Kvart" "InstallDir" "$INSTDIR"
	WriteRegStr HKCU "${UNINSTALL}" "DisplayName" "Kvart"
	WriteRegStr HKCU "${UNINSTALL}" "DisplayVersion" "${VERSION}"
	WriteRegStr HKCU "${UNINSTALL}" "DisplayIcon" "$INSTDIR\kvart.exe"
	WriteRegStr HKCU "${UNINSTALL}" "Publisher" "Kvart"
	WriteRegStr HKCU "${UNINSTALL}" "InstallLocation" "$INSTDIR"
	WriteRegStr HKCU "${UNINSTALL}" "UninstallString" '"$INSTDIR\uninstall.exe"'
	WriteRegStr HKCU "${UNINSTALL}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
	WriteRegDWORD HKCU "${UNINSTALL}" "NoModify" 1
	WriteRegDWORD HKCU "${UNINSTALL}" "NoRepair" 1
	${GetSize} "$INSTDIR" "/S=0K" $0 $1 $2
	WriteRegDWORD HKCU "${UNINSTALL}" "EstimatedSize" $0
	; an update: it goes on guarding
	${If} ${FileExists} "$SMSTARTUP\Kvart.lnk"
		Exec '"$INSTDIR\kvart-agent.exe" run'
	${EndIf}
SectionEnd

; The same shortcut that the guard writes when it is turned on in Kvart.
Section "$(AtLogin)" login
	CreateShortcut "$SMSTARTUP\Kvart.lnk" "$INSTDIR\kvart-agent.exe" "run" "$INSTDIR\kvart.exe" 0 SW_SHOWNORMAL "" "$(Comment)"
SectionEnd

; An update leaves it as it is: on or off.
Function .onInit
	ReadRegStr $0 HKCU "${UNINSTALL}" "DisplayVersion"
	${If} $0 != ""
	${AndIfNot} ${FileExists} "$SMSTARTUP\Kvart.lnk"
		!insertmacro UnselectSection ${login}
	${EndIf}
FunctionEnd

!insertmacro MUI_FUNCTION_DESCRIPTION_BEGIN
	!insertmacro MUI_DESCRIPTION_TEXT ${program} "$(ProgramAbout)"
	!insertmacro MUI_DESCRIPTION_TEXT ${login} "$(AtLoginAbout)"
!insertmacro MUI_FUNCTION_DESCRIPTION_END

Section "Uninstall"
	Call un.end
	; before the program that does it is gone: it deletes what is Kvart's, by name
	${GetParameters} $0
	ClearErrors
	${GetOptions} $0 "/PURGE" $1
	${If} ${Errors}
		MessageBox MB_YESNO|MB_ICONQUESTION "$(KeepSettings)" /SD IDYES IDYES keep
	${EndIf}
	StrCpy $2 ""
	ClearErrors
	${GetOptions} $0 "/WITHOUTKIT" $1
	${IfNot} ${Errors}
		StrCpy $2 " --without-kit"
	${EndIf}
	forget:
	${If} ${FileExists} "$INSTDIR\kvart-agent.exe"
		ClearErrors
		ExecWait '"$INSTDIR\kvart-agent.exe" uninstall --yes --forget-secrets$2' $0
		${If} ${Errors}
			StrCpy $0 1
		${EndIf}
		${If} $0 = 3 ; there is no kit
			MessageBox MB_YESNO|MB_ICONEXCLAMATION|MB_DEFBUTTON2 "$(NoKit)" /SD IDNO IDNO unforgotten
			StrCpy $2 " --without-kit"
			Goto forget
		${ElseIf} $0 <> 0
			MessageBox MB_RETRYCANCEL|MB_ICONEXCLAMATION "$(NotForgotten)" /SD IDCANCEL IDRETRY forget
			unforgotten:
			SetErrorLevel 1
			Abort
		${EndIf}
	${EndIf}
	keep:
	Delete "$SMPROGRAMS\Kvart.lnk"
	Delete "$SMSTARTUP\Kvart.lnk"
	DeleteRegValue HKCU "${APPROVED}" "Kvart.lnk"
	Delete "$INSTDIR\kvart.exe"
	Delete "$INSTDIR\kvart-agent.exe"
	Delete "$INSTDIR\kvart-agent.com"
	Delete "$INSTDIR\licences.txt"
	Delete "$INSTDIR\uninstall.exe"
	RMDir "$INSTDIR"
	DeleteRegKey HKCU "${UNINSTALL}"
	DeleteRegKey HKCU "Software\Kvart"
	; what the window's toolkit keeps, in which there is nothing of the owner's
	RMDir /r "$APPDATA\fyne\se.kvart.Kvart"
	RMDir "$APPDATA\fyne"
	; only where nothing is left in it
	RMDir "$LOCALAPPDATA\Kvart"
SectionEnd
