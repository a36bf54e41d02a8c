/**
 * Everything the command takes from the server. The settings are light and always here; the server
 * itself, with its web framework and database client, is loaded by the commands that need it.
 */
export { clientVariables } from "../../server/src/admin-settings.ts";
export {
  asksForLogin,
  environmentName,
  isLoopback,
  readConfig,
  settingNames,
  settings,
  shownValue,
  type Config,
  type Flags,
  type Setting,
  type SettingName,
} from "../../server/src/config.ts";
