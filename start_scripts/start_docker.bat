@echo off
rem For a double click on Windows: starts Trunkline with Docker Desktop in one of three modes.
rem   start_docker.bat [smart^|simple^|legacy]
setlocal EnableExtensions
cd /d "%~dp0\.."

docker info >nul 2>&1
if errorlevel 1 (
  echo Docker does not run. Start Docker Desktop, then run this again.
  goto :failed
)

set "MODE=%~1"
if not defined MODE (
  echo How shall Trunkline start?
  echo   1  smart   waits for health, places a demo call
  echo   2  simple  only starts the containers
  echo   3  legacy  plain docker compose up, in this window
  set /p "MODE=Mode [1]: "
)
if not defined MODE set "MODE=1"

if not exist .env call :write_env
if errorlevel 1 goto :failed

if /i "%MODE%"=="1" goto :smart
if /i "%MODE%"=="smart" goto :smart
if /i "%MODE%"=="2" goto :simple
if /i "%MODE%"=="simple" goto :simple
if /i "%MODE%"=="3" goto :legacy
if /i "%MODE%"=="legacy" goto :legacy
echo There is no mode "%MODE%"; there are smart, simple and legacy.
goto :failed

:smart
docker compose --profile simulator up --detach --build --wait
if errorlevel 1 (
  echo The checked start failed, so it is tried without checks.
  goto :simple
)
docker compose exec -T simulator bin/trunkline simulate --demo
if errorlevel 1 goto :failed
goto :done

:simple
docker compose --profile simulator up --detach --build
if errorlevel 1 (
  echo That failed too, so it is tried in this window, where its words can be read.
  goto :legacy
)
goto :done

:legacy
docker compose --profile simulator up --build
goto :eof

:done
echo.
echo Trunkline is up: http://127.0.0.1:8000/docs
echo Stop it with: docker compose down
pause
goto :eof

:failed
pause
exit /b 1

:write_env
powershell -NoProfile -Command ^
  "$r = { param($n) $b = New-Object byte[] $n; [Security.Cryptography.RandomNumberGenerator]::Create().GetBytes($b); -join ($b | ForEach-Object { $_.ToString('x2') }) };" ^
  "$t = Get-Content .env.example -Raw;" ^
  "$t = $t -replace '(?m)^API_KEY=\r?$', ('API_KEY=' + (& $r 24));" ^
  "$t = $t -replace '(?m)^LIVEKIT_API_KEY=\r?$', ('LIVEKIT_API_KEY=key' + (& $r 8));" ^
  "$t = $t -replace '(?m)^LIVEKIT_API_SECRET=\r?$', ('LIVEKIT_API_SECRET=' + (& $r 32));" ^
  "[IO.File]::WriteAllText((Join-Path (Get-Location) '.env'), $t)"
exit /b %errorlevel%
