export { isFirstClientPath } from './firstClients.ts';
export { taskModels } from './model.ts';
export { mountTasks, type TaskRoutes } from './routes.ts';
