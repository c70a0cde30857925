/** What `serve` answers without a token. No task id begins so. */
export const HEALTH_PATH = "/_health";
